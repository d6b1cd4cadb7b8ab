// Virtual servers across a reload: who is who, what goes on and what begins again.
import { expect, test } from "vitest";
import { configOf } from "../testing/examples.ts";
import type { Change } from "./change.ts";
import { diffConfig } from "./diff-config.ts";
import { changeSentences } from "./sentences.ts";

const diff = (before: string, after: string): Change[] => diffConfig(configOf(before), configOf(after));
const told = (before: string, after: string): string[] => changeSentences(diff(before, after));
const actions = (changes: readonly Change[]): string[] =>
  changes.map(({ kind, name, action }) => `${kind} ${name}: ${action}`);

const server = (lines: string, reals = real("10.0.0.2")) =>
  `virtual_server 10.0.0.1 80 {\nprotocol TCP\n${lines}\n${reals}}\n`;
const real = (address: string, lines = "") => `real_server ${address} 80 {\n${lines}\n}\n`;
const check = (lines: string) => server("", real("10.0.0.2", `TCP_CHECK {\n${lines}\n}`));

test("matched by address, port and protocol; edited in place", () => {
  expect(told(server("lb_algo rr"), server("lb_algo wrr\ndelay_loop 3"))).toEqual([
    "virtual server 10.0.0.1 port 80 tcp: lvs_sched rr → wrr",
    "virtual server 10.0.0.1 port 80 tcp: delay_loop 60 s → 3 s",
  ]);
  expect(actions(diff(server(""), server("").replace("TCP", "UDP")))).toEqual([
    "virtual server 10.0.0.1 port 80 tcp: removed",
    "virtual server 10.0.0.1 port 80 udp: added",
  ]);
});

test("real servers", () => {
  expect(told(server(""), server("", real("10.0.0.2", "weight 5") + real("10.0.0.3")))).toEqual([
    "virtual server 10.0.0.1 port 80 tcp: real server 10.0.0.2 port 80: weight 1 → 5",
    "virtual server 10.0.0.1 port 80 tcp: real server 10.0.0.3 port 80 added",
  ]);
});

test("a checker keeps what it found out unless it checks something else", () => {
  const subject = "virtual server 10.0.0.1 port 80 tcp: real server 10.0.0.2 port 80: checker TCP_CHECK";
  expect(told(check("retry 1"), check("retry 4"))).toEqual([`${subject}: retry 1 → 4`]);
  expect(told(check(""), check("connect_port 81"))).toEqual([
    `${subject} starts anew: it asks something else, and what was found out does not hold`,
    `${subject}: connect_port 80 → 81`,
  ]);
});

test("what checkers inherit is told of the virtual server alone", () => {
  const checked = (lines: string) =>
    server(lines, real("10.0.0.2", "TCP_CHECK {\n}") + real("10.0.0.3", "TCP_CHECK {\ndelay_loop 9\n}"));
  expect(told(checked("delay_loop 6"), checked("delay_loop 3\nlvs_method DR"))).toEqual([
    expect.stringMatching(/: lvs_method masquerade → direct-route$/),
    expect.stringMatching(/: delay_loop 6 s → 3 s$/),
  ]);
});

test("a checker of HTTP is known by its urls, the times between its runs apart", () => {
  const checked = (urls: string, more = "") => server("", real("10.0.0.2", `HTTP_GET {\n${urls}\n${more}\n}`));
  const url = (path: string, digits: string) => `url {\npath ${path}\nstatus_code ${digits}\n}`;
  const [changed] = diff(checked(url("/", "200")), checked(url("/", "200"), "warmup 3"));
  expect(changed?.parts[0]?.parts[0]).toMatchObject({ action: "changed", fields: [{ label: "warmup" }] });
  const [restarted] = diff(checked(url("/", "200")), checked(url("/", "204") + url("/x", "200")));
  expect(restarted?.parts[0]?.parts[0]).toMatchObject({
    action: "restarted",
    parts: [
      { kind: "url", name: "/", action: "changed" },
      { kind: "url", name: "/x", action: "added" },
    ],
  });
});

test("groups, and several servers on one", () => {
  const group = (entries: string) => `virtual_server_group G {\n${entries}\n}\n`;
  const on = (protocol: string) => server("").replace("10.0.0.1 80", "group G").replace("TCP", protocol);
  const before = group("192.0.2.1 80\nfwmark 3") + on("TCP");
  expect(told(before, group("192.0.2.1-9 80\nfwmark 3") + on("TCP") + on("UDP"))).toEqual([
    "virtual server group G, server 2 added",
    "virtual server group G: service 192.0.2.1 port 80 removed",
    "virtual server group G: service 192.0.2.1-192.0.2.9 port 80 added",
  ]);
});

test("the server that stands in", () => {
  const sorry = (line: string) => server(`sorry_server ${line}`);
  const subject = "virtual server 10.0.0.1 port 80 tcp: sorry_server";
  expect(told(server(""), sorry("10.0.0.9 80"))).toEqual([expect.stringMatching(`${subject} none → 10.0.0.9 port 80`)]);
  expect(told(sorry("10.0.0.9 80"), sorry("10.0.0.9 81"))).toEqual([`${subject} port 80 → 81`]);
});

test("two equal ones are two, and the second is not lost", () => {
  const one = configOf(server(""));
  const two = { ...one, virtualServers: [...one.virtualServers, ...structuredClone(one.virtualServers)] };
  expect(actions(diffConfig(one, two))).toEqual(["virtual server 10.0.0.1 port 80 tcp: added"]);
});
