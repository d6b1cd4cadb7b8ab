import { micros } from "@baton/domain";
import { configOf, ip } from "@baton/keepalived-conf/testing";
import { expect, test } from "vitest";
import { createNames, isWithin, machineConfig, poolSpecs, rememberPoolSpecs } from "./check-specs.ts";

const settings = { jitter: 0, slowStart: micros(0), panicGuard: false };
const specsOf = (text: string) => poolSpecs(configOf(text), settings);
const real = (checks: string, address = "198.51.100.1") => `real_server ${address} 80 {\n${checks}\n}`;
const virtual = (body: string, header = "192.0.2.1 80") => `virtual_server ${header} {\nprotocol TCP\n${body}\n}\n`;
const tcp = "TCP_CHECK {\n}";

test("a pool as the machine wants it", () => {
  const [spec] = poolSpecs(
    configOf(
      `global_defs {\nrs_init_notifies\n}\n${virtual(
        `quorum 2\nhysteresis 1\nomega\nsorry_server 198.51.100.9 81\nsorry_server_inhibit\n${real(`weight 3\ninhibit_on_failure\n${tcp}`)}`,
      )}`,
    ),
    { jitter: 0, slowStart: micros(5), panicGuard: true },
  );
  expect(spec?.pool).toEqual({
    name: "[192.0.2.1]:tcp:80",
    quorum: 2,
    hysteresis: 1,
    omega: true,
    servers: [{ server: "198.51.100.1:80", weight: 3, inhibitOnFailure: true }],
    sorryServer: { server: "198.51.100.9:81", inhibit: true },
    startNotices: true,
    panicGuard: true,
    slowStart: 5,
  });
  expect(spec?.servers.map(({ server, checks }) => [server, checks.map(({ label }) => label)])).toEqual([
    ["198.51.100.1:80", ["TCP_CHECK 198.51.100.1:80"]],
  ]);
});

const rows: readonly [string, string, string, boolean][] = [
  ["the same", tcp, tcp, true],
  ["another interval", tcp, "TCP_CHECK {\ndelay_loop 7\n}", false],
  ["another number of retries", tcp, "TCP_CHECK {\nretry 7\n}", false],
  ["another port", tcp, "TCP_CHECK {\nconnect_port 81\n}", false],
  ["another source", tcp, "TCP_CHECK {\nbindto 127.0.0.1\n}", false],
  ["another mark", tcp, "TCP_CHECK {\nfwmark 5\n}", false],
  ["another timeout", tcp, "TCP_CHECK {\nconnect_timeout 1\n}", false],
  ["another type", tcp, "PING_CHECK {\n}", false],
  ["the same address in other words", tcp, "TCP_CHECK {\nconnect_ip 198.51.100.1\n}", true],
];
test.each(rows)("one prober for two checks: %s", (_name, a, b, isShared) => {
  const [spec] = specsOf(virtual(real(`${a}\n${b}`)));
  expect(new Set(spec?.servers[0]?.checks.map(({ key }) => key)).size).toBe(isShared ? 1 : 2);
});

test("services whose addresses come and go apart share nothing with ha_suspend", () => {
  const one = virtual(`ha_suspend\n${real(tcp)}`);
  const other = virtual(`ha_suspend\n${real(tcp)}`, "192.0.2.2 80");
  const keys = specsOf(one + other).flatMap(({ servers }) => servers.flatMap(({ checks }) => checks));
  expect(keys.map(({ whileLocal }) => whileLocal)).toEqual([
    [{ first: "192.0.2.1", last: "192.0.2.1" }],
    [{ first: "192.0.2.2", last: "192.0.2.2" }],
  ]);
  expect(new Set(keys.map(({ key }) => key)).size).toBe(2);
});

test("ha_suspend of a group is about all its addresses, and means nothing with firewall marks", () => {
  const group = "virtual_server_group g {\n192.0.2.1-9 80\n}\n";
  const [spec] = specsOf(`${group}${virtual(`ha_suspend\n${real(tcp)}`, "group g")}`);
  const [range] = spec?.servers[0]?.checks[0]?.whileLocal ?? [];
  if (range === undefined) throw new Error("no range");
  expect(
    [ip("192.0.2.1"), ip("192.0.2.9"), ip("192.0.2.10"), ip("2001:db8::1")].map((each) => isWithin(range, each)),
  ).toEqual([true, true, false, false]);
  const [marked] = specsOf(
    virtual(`ha_suspend\nreal_server 198.51.100.1 0 {\nTCP_CHECK {\nconnect_port 80\n}\n}`, "fwmark 5"),
  );
  expect(marked?.servers[0]?.checks[0]?.whileLocal).toBeUndefined();
});

test("numbers of the machine come from the configuration, and at least one url", () => {
  const get =
    "HTTP_GET {\ndelay_loop 3\nretry 4\ndelay_before_retry 5\nwarmup 6\nfast_recovery\nurl {\npath /\n}\nurl {\npath /b\n}\n}";
  const [spec] = specsOf(virtual(real(get)));
  const [check] = spec?.servers[0]?.checks ?? [];
  if (check === undefined) throw new Error("no check");
  expect(machineConfig(check.checker, "a name", 0.25)).toMatchObject({
    type: "HTTP_GET",
    name: "a name",
    delayLoop: 3_000_000,
    retry: 4,
    delayBeforeRetry: 5_000_000,
    warmup: 6_000_000,
    urls: 2,
    fastRecovery: true,
    jitter: 0.25,
  });
  expect(check.label).toBe("HTTP_GET 198.51.100.1:80/");
});

test("names are each their own, and many of one label are linear work", () => {
  const names = createNames();
  expect(names.take("a #2")).toBe(true);
  expect(names.take("a #2")).toBe(false);
  expect(["a", "a", "a", "b"].map(names.unique)).toEqual(["a", "a #3", "a #4", "b"]);
  const many = new Set(Array.from({ length: 20_000 }, () => names.unique("x")));
  expect(many.size).toBe(20_000);
});

test("of what is as before the spec is the same object, unless what is around it says something else", () => {
  const specs = rememberPoolSpecs();
  const before = configOf([1, 2, 3].map((host) => virtual(real(tcp), `192.0.2.${host} 80`)).join(""));
  const [second] = configOf(virtual(`quorum 2\n${real(tcp)}`, "192.0.2.2 80")).virtualServers;
  const [first, , third] = before.virtualServers;
  if (first === undefined || second === undefined || third === undefined) throw new Error("three virtual servers");
  const after = { ...before, virtualServers: [first, second, third] };
  const old = specs(before, settings);
  const now = specs(after, settings);
  expect(now).toEqual(poolSpecs(after, settings));
  expect(now.map((spec, at) => spec === old[at])).toEqual([true, false, true]);
  const guarded = specs(after, { ...settings, panicGuard: true });
  expect(guarded).toEqual(poolSpecs(after, { ...settings, panicGuard: true }));
});
