// What all checks that connect have in common, in each of them: the mark, the interface, the address and the port that they
// come from, and where they go to. Counted as packets leave.
import { execFileSync } from "node:child_process";
import { createSecureContext } from "node:tls";
import { micros } from "@baton/domain";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type ProbedConfig, probe } from "./probe.ts";
import { connectionTo, families, ip, makeProbeWorld, type ProbeWorld, times } from "./testing/probe-world.ts";

let world: ProbeWorld;
beforeAll(() => {
  world = makeProbeWorld("origin");
  for (const [address, more] of [
    ["10.99.0.9/24", []],
    ["2001:db8::9/64", ["nodad"]],
  ] as const)
    world.ours.ip("address", "add", address, "dev", "eth0", ...more);
});
afterAll(() => world.remove());

const types = ["TCP_CHECK", "HTTP_GET", "SSL_GET", "SMTP_CHECK", "DNS_CHECK", "UDP_CHECK", "PING_CHECK"] as const;
const own = { 4: ip("10.99.0.9"), 6: ip("2001:db8::9") } as const;
const their = { 4: ip("10.99.0.2"), 6: ip("2001:db8::2") } as const;
const mark = 0x8000_0001;

function configOf(type: (typeof types)[number], family: 4 | 6, number: number, bindInterface: string): ProbedConfig {
  const connection = connectionTo(their[family], 7_000 + number, {
    bindAddress: own[family],
    bindPort: type === "PING_CHECK" ? undefined : 20_000 + number,
    bindInterface,
    mark,
    timeout: micros(300_000),
  });
  const base = { ...times, connection };
  const get = { ...base, httpVersion: "1.0", closeConnection: false, fastRecovery: false } as const;
  const url = { path: "/", host: undefined, statusCodes: [], digest: undefined, regex: undefined };
  switch (type) {
    case "HTTP_GET":
      return { ...get, type, urls: [url] };
    case "SSL_GET":
      return { ...get, type, urls: [{ ...url, serverName: undefined, tlsCompliant: false }] };
    case "SMTP_CHECK":
      return { ...base, type, heloName: "x" };
    case "DNS_CHECK":
      return { ...base, type, queryType: "A", name: "x.example" };
    case "UDP_CHECK":
      return { ...base, type, payload: undefined, reply: undefined };
    default:
      return { ...base, type };
  }
}

const nft = (text: string): string =>
  execFileSync("ip", ["netns", "exec", world.ours.name, "nft", text], { encoding: "utf8" });

test.each(families)(
  "over IPv%i: each packet bears the mark, and leaves by the interface, the address and the port",
  async (family) => {
    nft("add table inet origin; add chain inet origin out { type filter hook output priority 0; }");
    const name = family === 4 ? "ip" : "ip6";
    for (const [number, type] of types.entries()) {
      const ends = `oifname "eth0" meta mark ${mark} ${name} saddr ${own[family]} ${name} daddr ${their[family]}`;
      const echo = family === 4 ? "icmp type echo-request" : "icmpv6 type echo-request";
      const layer = type === "DNS_CHECK" || type === "UDP_CHECK" ? "udp" : "tcp";
      const what = type === "PING_CHECK" ? echo : `${layer} sport ${20_000 + number} ${layer} dport ${7_000 + number}`;
      nft(`add counter inet origin ${type}`);
      nft(`add rule inet origin out ${ends} ${what} counter name ${type}`);
    }
    const run = (type: (typeof types)[number], number: number, through: string) =>
      world.ours.inside(() =>
        probe(configOf(type, family, number, through), {
          signal: new AbortController().signal,
          url: 0,
          tls: createSecureContext(),
          program: { identity: { ok: false, reason: "no program" }, environment: {} },
        }),
      );
    try {
      await Promise.all(types.map((type, number) => run(type, number, "eth0")));
      const listed = nft("list counters");
      const counted = types.filter((type) => !new RegExp(`counter ${type} \\{\\s+packets 0`).test(listed));
      expect(counted).toEqual(types);
      // An interface that is not here is a fault of this machine, whatever is checked.
      const away = await Promise.all(types.map((type, number) => run(type, number, "eth7")));
      expect(away).toEqual(
        types.map(() => expect.objectContaining({ ok: undefined, reason: "bind", errno: "ENODEV" })),
      );
    } finally {
      nft("delete table inet origin");
    }
  },
);
