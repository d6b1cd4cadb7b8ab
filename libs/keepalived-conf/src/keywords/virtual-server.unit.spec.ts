// What `keepalived -t` of 2.4.3 says of virtual servers, line by line: right, on the border, beyond it, and of the wrong
// kind. Everything around the line is right.
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

const real = "real_server 10.0.0.2 80 {\n}";
const kind = "protocol TCP\nlb_algo rr\nlb_kind NAT";
const server = (lines: string, id = "10.0.0.1 80") => `virtual_server ${id} {\n${lines}\n}\n`;

describe("a line of virtual_server", () => {
  test.each(
    verdicts(`
0 ip_family inet
5 ip_family inet6
5 ip_family x
2 ip_family
0 retry 1
5 retry 0
0 retry 4294967294
5 retry 5x
2 retry
0 delay_before_retry 0
5 delay_before_retry 0.0000001
5 delay_before_retry x
5 delay_before_retry -1
0 delay_before_retry .5
0 delay_before_retry 5.
0 warmup 0
0 warmup 1.5
5 connect_timeout 0
0 connect_timeout 0.000001
0 connect_timeout 4294.967294
0 connect_timeout 4294.967295
5 connect_timeout 4294.967296
5 connect_timeout 5s
5 delay_loop 0
0 delay_loop 0.000001
0 delay_loop 99999999
0 delay_loop 18446744073709
5 delay_loop 18446744073710
5 delay_loop x
0 inhibit_on_failure
0 inhibit_on_failure no
5 lb_algo xx
2 lb_algo
0 lvs_sched wlc
5 lb_algo RR
5 hashed
5 ops
0 flag-1
0 flag-2
0 flag-3
5 sh-port
5 sh-fallback
5 mh-port
5 mh-fallback
0 lb_algo sh ; sh-port
0 lb_algo sh ; sh-fallback ; hashed
0 lb_algo mh ; mh-port
0 lb_algo mh ; mh-fallback
0 lb_algo mh ; sh-port
0 lb_algo sh ; sh-port ; lb_algo rr
0 lb_algo sh ; flag-1
0 protocol UDP ; ops
0 lb_kind DR
0 lb_kind TUN
5 lb_kind nat
2 lb_kind
0 lb_kind TUN type ipip
5 lb_kind TUN type gue
0 lb_kind TUN type gue port 5
5 lb_kind TUN type gue port 0
0 lb_kind TUN type gue port 65535 remcsum
5 lb_kind TUN type gue port 65536
0 lb_kind TUN type gre
0 lb_kind TUN type gre csum
5 lb_kind TUN type gre remcsum
5 lb_kind TUN type gre port 5
5 lb_kind TUN type ipip csum
5 lb_kind TUN csum
5 lb_kind TUN foo
5 lb_kind TUN type
5 lb_kind TUN type foo
5 lb_kind TUN type gue port
0 lb_kind NAT type gue port 7
5 lb_kind TUN type gue port 7 ; lb_kind TUN foo
0 lb_kind TUN type gue port 7 ; lb_kind TUN
5 lb_kind DR foo
0 persistence_engine sip
0 persistence_engine 123456789012345
0 persistence_engine 1234567890123456
2 persistence_engine
0 persistence_timeout
5 persistence_timeout 0
0 persistence_timeout 1
0 persistence_timeout 2678400
5 persistence_timeout 2678401
5 persistence_timeout 5s
0 persistence_granularity 255.255.255.0
0 persistence_granularity 64
0 persistence_granularity 255.255.0
0 persistence_granularity 0x10
0 persistence_granularity 010
5 persistence_granularity x
5 persistence_granularity 256.0.0.0
2 persistence_granularity
0 persistence_granularity 255.255.255.0 ; persistence_timeout 7
0 persistence_timeout 7 ; persistence_granularity 255.255.255.0
0 persistence_granularity 255.0.255.0
5 persistence_granularity 1.2.3.4.5
0 persistence_granularity 4294967295
5 persistence_granularity 4294967296
0 protocol tcp
0 protocol Sctp
5 protocol x
2 protocol
0 ha_suspend
0 smtp_alert
0 smtp_alert no
5 smtp_alert x
5 virtualhost
0 virtualhost a
5 virtualhost a ; virtualhost b
0 alpha
0 alpha no
0 omega
6 quorum_up /bin/true
6 quorum_up /bin/true ; quorum_up /bin/true
6 quorum_down "/bin/true x"
2 quorum_up
0 quorum_up /bin/true nouser
5 quorum 0
0 quorum 1
5 quorum 2
5 quorum x
5 quorum 5x
5 quorum 4294967295
5 quorum 4294967296
2 quorum
0 hysteresis 0
5 hysteresis 1
5 hysteresis x
2 hysteresis
5 hysteresis 4294967295
5 weight 0
0 weight 1
0 weight 5
0 weight 2147483647
5 weight 2147483648
5 weight x
2 weight
0 sorry_server 127.0.0.1 80
0 sorry_server 127.0.0.1
0 sorry_server 127.0.0.1 0
0 sorry_server 127.0.0.1 8080
5 sorry_server 127.0.0.1 65536
5 sorry_server x
2 sorry_server
5 sorry_server ::1 80
5 sorry_server_inhibit
5 sorry_server_inhibit ; sorry_server 127.0.0.1
0 sorry_server 127.0.0.1 ; sorry_server_inhibit
0 sorry_server 127.0.0.1 ; sorry_server_lvs_method DR
5 sorry_server 127.0.0.1 81 ; sorry_server_lvs_method DR
5 sorry_server_lvs_method DR
5 sorry_server_lvs_method
2 sorry_server 127.0.0.1 ; sorry_server_lvs_method
0 sorry_server 127.0.0.1 ""
0 sorry_server 127.0.0.1 ; sorry_server_lvs_method TUN type gue port 5
0 sorry_server 127.0.0.1 ; sorry_server 127.0.0.2
0 sorry_server ::1 ; sorry_server_lvs_method TUN
0 sorry_server 10.0.0.2 80
5 sorry_server 10.0.0.2 80 ; sorry_server_inhibit
5 sorry_server 10.0.0.2 80 ; inhibit_on_failure
0 sorry_server 10.0.0.2
5 sorry_server 127.0.0.1 80x
0 sorry_server 127.0.0.1/24 80
5 foo
`),
  )("%j: %i", (line, exit) => expect(exitOf(server(`${kind}\n${line}\n${real}`))).toBe(exit));
});

describe("what a virtual server is", () => {
  test.each(
    verdicts(`
5 10.0.0.1
5 10.0.0.1 0
5 10.0.0.1 00
0 10.0.0.1 65535
5 10.0.0.1 65536
5 10.0.0.1 80x
5 10.0.0.1 -1
0 10.0.0.1/24 80
0 10.0.0.1-5 80
5 10.0.0 80
5 2001:db8::1 80
5 fwmark 1
5 fwmark 0
5 fwmark 4294967295
5 fwmark 4294967296
5 fwmark x
5 fwmark 1x
0 group g
0 10.0.0.1 80 tcp
2
`),
  )("%j: %i", (id, exit) => expect(exitOf(server(`${kind}\n${real}`, id))).toBe(exit));
});

describe("a line of real_server", () => {
  test.each(
    verdicts(`
5 weight 0
0 weight 1
0 weight 2147483647
5 weight 2147483648
5 weight x
5 weight 5x
5 weight -1
2 weight
0 lvs_method DR
5 lvs_method dr
2 lvs_method
0 lvs_method TUN type gue port 5
5 lvs_method TUN type gue
5 lb_kind DR
0 uthreshold 5
0 uthreshold 4294967295
5 uthreshold 4294967296
5 uthreshold x
2 uthreshold
0 lthreshold 5
5 lthreshold -1
2 lthreshold
0 inhibit_on_failure
0 inhibit_on_failure no
5 inhibit_on_failure x
6 notify_up /bin/true
2 notify_up
6 notify_up "/bin/true" nobody
0 notify_up /bin/true nouser
6 notify_up /bin/true ; notify_up /bin/true
6 notify_down '/bin/true'
0 notify_up /bin/none
0 alpha
0 alpha no
5 alpha x
5 retry 0
0 retry 7
5 retry x
0 delay_before_retry 7
0 warmup 7
0 connect_timeout 7
5 connect_timeout 0
0 delay_loop 7
5 delay_loop 0
0 smtp_alert
0 smtp_alert no
5 smtp_alert x
5 virtualhost
0 virtualhost x
5 virtualhost x ; virtualhost y
5 foo
`),
  )("%j: %i", (line, exit) => {
    expect(exitOf(server(`${kind}\nreal_server 10.0.0.2 80 {\n${line}\n}`))).toBe(exit);
  });
});

describe("lines of virtual_server_group", () => {
  test.each(
    verdicts(`
0 10.0.0.1 80
5 10.0.0.1
5 10.0.0.1 0
0 10.0.0.1 80 x
0 10.0.0.1-5 80
5 10.0.0.1-1 80
5 10.0.0.5-1 80
5 10.0.0.1-255
5 10.0.0.1-256
5 10.0.0.1-x
5 10.0.0.1-5x
5 10.0.0.1-
0 10.0.0.1-10.0.0.9 80
5 10.0.0.9-10.0.0.1 80
0 10.0.0.1-10.0.0.1 80
5 10.0.0.1-::1
5 10.0.0.1-10.0.0
0 10.0.0.0/24 80
5 10.0.0.1/24
5 10.0.0.0/0
5 10.0.0.0/33
5 10.0.0.0/x
5 10.0.0.1/32
5 10.0.0.0/31
0 2001:db8::1
0 2001:db8::1-ff
0 2001:db8::1-FFFF
5 2001:db8::1-10000
0 2001:db8::1-0x5
0 2001:db8::1-2001:db8::5 80
0 2001:db8::/64
0 2001:db8::/120
0 2001:db8::1/128
5 2001:db8::/129
0 2001:db8::/33
0 2001:db8:8000::/33
5 2001:db8::5-3
5 10.0.0 80
5 x
5 10.0.0.1 65536
5 10.0.0.1 80x
5 10.0.0.1-5 x
5 fwmark 5
5 fwmark 0
5 fwmark 4294967295
5 fwmark 4294967296
5 fwmark x
5 fwmark 5x
2 fwmark
5 fwmark 5 inet
0 fwmark 5 inet6
5 fwmark 5 x
5 fwmark 5 inet x
0 fwmark 5 ; 10.0.0.1 80
0 10.0.0.1 80 ; 10.0.0.2 80
0 10.0.0.1 80 ; 2001:db8::1 80
5 10.0.0.1 80 ; 2001:db8::1 80 ; fwmark 5
0 10.0.0.1 80 ; 2001:db8::1 80 ; fwmark 5 inet
0 fwmark 5 inet ; fwmark 6 inet6
5
`),
  )("%j: %i", (lines, exit) => {
    const group = `virtual_server_group g {\n${lines}\n}\n`;
    expect(exitOf(group + server(`${kind}\n${real}`, "group g"))).toBe(exit);
  });
});
