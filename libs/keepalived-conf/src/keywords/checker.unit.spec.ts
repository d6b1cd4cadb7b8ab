// What `keepalived -t` of 2.4.3 says of checkers, line by line: right, on the border, beyond it, and of the wrong kind.
// Everything around the line is right.
import { describe, expect, test } from "vitest";
import { exitCodeOf } from "../diagnostics.ts";
import { parse } from "../testing/parse.ts";

/** Of each line what 2.4.3 exits with, and the text; ` ; ` stands between lines. */
const verdicts = (text: string): [line: string, exit: number][] =>
  text
    .trim()
    .split("\n")
    .map((line): [string, number] => [line.slice(2).replaceAll(" ; ", "\n"), Number(line[0])]);

const exitOf = (text: string): number =>
  exitCodeOf(
    parse(text, {
      executable: (name) => name === "/bin/true" || name === "/bin/sh",
      userExists: (name) => name === "nobody",
      groupExists: (name) => name === "nogroup",
    }).diagnostics,
  );

const outer = "protocol TCP\nlb_algo rr\nlb_kind NAT";

const checking = (checker: string, before = ""): string =>
  `${before}virtual_server 10.0.0.1 80 {\n${outer}\nreal_server 10.0.0.2 80 {\n${checker}\n}\n}\n`;

describe("what all checkers have", () => {
  test.each(
    verdicts(`
0 connect_ip 10.0.0.7
5 connect_ip x
2 connect_ip
0 connect_ip 10.0.0.7/24
5 connect_ip fe80::1
0 connect_ip 2001:db8::1
0 connect_ip fe80::1 ; bind_if eth0
5 connect_port 0
0 connect_port 1
0 connect_port 65535
5 connect_port 65536
5 connect_port 5x
2 connect_port
0 bindto 10.0.0.8
5 bindto 2001:db8::8
5 bindto x
2 bindto
5 bindto 2001:db8::8 ; connect_ip 2001:db8::1
0 connect_ip 2001:db8::1 ; bindto 2001:db8::8
5 connect_ip 2001:db8::1 ; bindto 10.0.0.8
5 bindto 10.0.0.8 ; connect_ip 2001:db8::1
0 bind_port 5
0 bindto 10.0.0.8 ; bind_port 5
5 bind_port 0
0 bind_port 5 ; bindto 10.0.0.8
0 bind_if abcdefghijklmno
5 bind_if abcdefghijklmnop
2 bind_if
0 connect_timeout 3
5 connect_timeout 0
0 connect_timeout 99
0 fwmark 5
0 fwmark 4294967295
5 fwmark 4294967296
5 fwmark x
2 fwmark
0 retry 0
0 retry 3
5 retry x
0 retry 4294967294
2 retry
0 delay_before_retry 0
0 delay_before_retry 2.5
2 delay_before_retry
0 warmup 0
0 warmup 9
5 delay_loop 0
0 delay_loop 3
2 delay_loop
0 alpha
0 alpha no
5 alpha x
0 log_all_failures
0 log_all_failures no
5 log_all_failures x
5 foo
0 retry 2 ; retry 3
`),
  )("%j: %i", (line, exit) => expect(exitOf(checking(`TCP_CHECK {\n${line}\n}`))).toBe(exit));
});

describe("HTTP_GET", () => {
  test.each(
    verdicts(`
5 nb_get_retry 5
5 nb_get_retry x
2 nb_get_retry
5 virtualhost
0 virtualhost a
5 virtualhost a ; virtualhost b
5 http_protocol
0 http_protocol 1.0
0 http_protocol 1.0C
0 http_protocol 1.0c
0 http_protocol 1.1
5 http_protocol 2
0 enable_sni
0 enable_sni no
5 enable_sni x
0 fast_recovery
0 fast_recovery no
5 fast_recovery x
5 tls_compliant
5 tls_compliant no
5 tls_compliant x
`),
  )("%j: %i", (line, exit) => expect(exitOf(checking(`HTTP_GET {\n${line}\nurl {\npath /\n}\n}`))).toBe(exit));
});

describe("SSL_GET", () => {
  test.each(
    verdicts(`
0 tls_compliant
0 tls_compliant no
5 tls_compliant x
`),
  )("%j: %i", (line, exit) => expect(exitOf(checking(`SSL_GET {\n${line}\nurl {\npath /\n}\n}`))).toBe(exit));
});

describe("a url of SSL_GET", () => {
  test.each(
    verdicts(`
5
2 path
5 path / ; path /b
0 path /a b
0 path "/a b"
2 path / ; digest
0 path / ; digest D36F8F9425C4A8000AD9C4A97185ACA5
5 path / ; digest D36F8F9425C4A8000AD9C4A97185ACA
5 path / ; digest D36F8F9425C4A8000AD9C4A97185ACAG
5 path / ; digest D36F8F9425C4A8000AD9C4A97185ACA5 ; digest D36F8F9425C4A8000AD9C4A97185ACA6
0 path / ; status_code
0 path / ; status_code 200
5 path / ; status_code 99
0 path / ; status_code 100 599
5 path / ; status_code 600
0 path / ; status_code 200-204 203-210 301
5 path / ; status_code 200-
5 path / ; status_code 200-100
5 path / ; status_code x 200
0 path / ; status_code 200 ; status_code 201
0 path / ; status_code 0200
5 path / ; virtualhost
0 path / ; virtualhost v
5 path / ; virtualhost v ; virtualhost w
0 path / ; tls_compliant
0 path / ; tls_compliant no
0 path / ; regex abc
5 path / ; regex
5 path / ; regex a b
0 path / ; regex "a b"
0 path / ; regex 'a b'
0 path / ; regex a\\\\d
5 path / ; regex a ; regex b
0 path / ; regex (
0 path / ; regex_no_match
0 path / ; regex a ; regex_no_match
0 path / ; regex a ; regex_options caseless
0 path / ; regex a ; regex_options foo
0 path / ; regex a ; regex_options
0 path / ; regex_options caseless
0 path / ; regex a ; regex_min_offset 5
0 path / ; regex a ; regex_min_offset
0 path / ; regex a ; regex_min_offset x
0 path / ; regex a ; regex_max_offset 5
0 path / ; regex a ; regex_min_offset 5 ; regex_max_offset 5
0 path / ; regex a ; regex_min_offset 6 ; regex_max_offset 5
0 path / ; regex a ; regex_max_offset 0
0 path / ; regex a ; regex_stack 5 6
0 path / ; regex a ; regex_stack 6 5
0 path / ; regex a ; regex_stack 5
0 path / ; regex a ; regex_stack
0 path / ; regex a ; regex_max_offset 5 6
5 path / ; foo
`),
  )("%j: %i", (line, exit) => expect(exitOf(checking(`SSL_GET {\nurl {\n${line}\n}\nurl {\npath /\n}\n}`))).toBe(exit));
});

describe("the only url of HTTP_GET", () => {
  test.each(
    verdicts(`
5
2 path
5 path / ; tls_compliant
`),
  )("%j: %i", (line, exit) => expect(exitOf(checking(`HTTP_GET {\nurl {\n${line}\n}\n}`))).toBe(exit));
});

describe("SMTP_CHECK", () => {
  test.each(
    verdicts(`
5 helo_name
0 helo_name a
0 helo_name "a b"
5 helo_name a ; helo_name b
0 host { ; }
5 host { ; connect_ip x ; }
`),
  )("%j: %i", (line, exit) => expect(exitOf(checking(`SMTP_CHECK {\n${line}\n}`))).toBe(exit));
});

describe("DNS_CHECK", () => {
  test.each(
    verdicts(`
2 type
0 type A
0 type aaaa
0 type RRSIG
0 type dnskey
5 type x
2 name
5 name a.b
0 name .
0 name ""
5 name .a
5 name a..b
5 name a.
5 name a ; name b
5 name ..
5 name a.. ; name b
0 name ${"a".repeat(64)}.example
`),
  )("%j: %i", (line, exit) => expect(exitOf(checking(`DNS_CHECK {\n${line}\n}`))).toBe(exit));
});

describe("UDP_CHECK", () => {
  test.each(
    verdicts(`
5 payload
0 payload 00
0 payload 0
0 payload 0 1
0 payload 012
0 payload 01 23
5 payload 0x
5 payload XX
5 payload g
0 payload 01 ; payload 0203
0 require_reply
0 require_reply 00
0 require_reply XX
0 require_reply 0X X0 12
0 require_reply X
5 require_reply g
0 require_reply 12 3
0 min_reply_length 0
5 min_reply_length 65535
5 min_reply_length 65536
2 min_reply_length
0 require_reply ; min_reply_length 5
0 require_reply 01 ; max_reply_length 5
5 require_reply ; min_reply_length 6 ; max_reply_length 5
5 max_reply_length x
5 max_reply_length 5x
5 min_reply_length 300
`),
  )("%j: %i", (line, exit) => expect(exitOf(checking(`UDP_CHECK {\n${line}\n}`))).toBe(exit));
});

describe("MISC_CHECK", () => {
  test.each(
    verdicts(`
5
5 misc_path
6 misc_path /bin/true
6 misc_path "/bin/true a b"
0 misc_path /bin/none
6 misc_path /bin/true ; misc_path /bin/sh
5 misc_path ''
6 misc_path /bin/true ; misc_timeout 5
6 misc_path /bin/true ; misc_timeout 0
6 misc_path /bin/true ; misc_timeout 4294
6 misc_path /bin/true ; misc_timeout 4295
6 misc_path /bin/true ; misc_timeout 1.5
2 misc_path /bin/true ; misc_timeout
6 misc_path /bin/true ; misc_dynamic
6 misc_path /bin/true ; user
6 misc_path /bin/true ; user nobody
5 misc_path /bin/true ; user nouser
5 user nouser ; misc_path /bin/true ; foo 5
6 misc_path /bin/true ; user nobody nogroup
5 misc_path /bin/true ; user nobody nogrp
5 misc_path /bin/true ; user nobody ; user nouser
`),
  )("%j: %i", (line, exit) => expect(exitOf(checking(`MISC_CHECK {\n${line}\n}`))).toBe(exit));
});

const files = "track_file f {\nfile /tmp/f\nweight 5 reverse\n}\ntrack_file f0 {\nfile /tmp/f0\n}\n";

describe("FILE_CHECK", () => {
  test.each(
    verdicts(`
5
2 track_file
0 track_file f
0 track_file f0
5 track_file fx
5 track_file g
5 track_file f ; track_file g
5 track_file g ; track_file f
5 track_file f ; weight
0 track_file f ; weight 5
0 track_file f ; weight -5 reverse
0 track_file f ; weight 5 noreverse
5 track_file f ; weight 5 x
0 track_file f ; weight 2147483647
5 track_file f ; weight 2147483648
0 track_file f ; weight -2147483647
5 track_file f ; weight -2147483648
5 track_file f ; weight x
5 weight 5
5 retry 1
5 alpha
`),
  )("%j: %i", (line, exit) => expect(exitOf(checking(`FILE_CHECK {\n${line}\n}`, files))).toBe(exit));
});

const session = (name: string, number: number, lines = ""): string =>
  `bfd_instance ${name} {\nneighbor_ip 10.0.0.${number}\nsource_ip 10.0.0.8\n${lines}\n}\n`;
const sessions = session("b", 9) + session("v", 19, "vrrp") + session("c", 29, "checker");

describe("BFD_CHECK", () => {
  test.each(
    verdicts(`
5
5 name
0 name b
0 name c
5 name v
5 name x
5 name b c
5 name b ; name c
5 name b ; name b
0 name b ; alpha
0 name b ; alpha no
5 name b ; alpha x
5 name x ; alpha
5 alpha
5 retry 1
`),
  )("%j: %i", (line, exit) => expect(exitOf(checking(`BFD_CHECK {\n${line}\n}`, sessions))).toBe(exit));
});
