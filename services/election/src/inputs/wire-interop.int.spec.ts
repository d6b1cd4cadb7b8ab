// The protocol and its sockets against real keepalived: it takes our adverts as a master's (it stays backup while we
// speak, and takes over at our priority 0), and we take its, in every way there is to send them. `KEEPALIVED_24` names a
// keepalived 2.4 for what Debian's 2.2.7 does not know.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type IpAddress, parseIp, secondsToMicros } from "@baton/domain";
import { type AdvertDatagram, type AdvertSocket, openAdvertSocket } from "@baton/linux";
import { makeNamespacePair, type Namespace } from "@baton/linux/testing";
import {
  authKey,
  buildAdvertisement,
  decodePacket,
  findInstance,
  groupAddress,
  groupAddressV6,
  initialWireState,
  receiveAdvertisement,
  type WireConfig,
} from "@baton/vrrp";
import { afterAll, beforeAll, expect, test, vi } from "vitest";

let namespaces: readonly [ours: Namespace, theirs: Namespace];
const directory = mkdtempSync(join(tmpdir(), "baton-wire-"));

beforeAll(() => {
  namespaces = makeNamespacePair("wi");
  for (const [index, side] of namespaces.entries()) {
    side.ip("address", "add", `fe80::${index + 1}/64`, "dev", "eth0", "nodad");
    side.ip("address", "add", `2001:db8::${index + 1}/64`, "dev", "eth0", "nodad");
  }
});
afterAll(() => {
  for (const namespace of namespaces) namespace.remove();
  rmSync(directory, { recursive: true });
});

function ip(text: string): IpAddress {
  const address = parseIp(text);
  if (address === undefined) throw new Error(text);
  return address;
}

interface Scenario {
  readonly name: string;
  readonly wire: Partial<WireConfig>;
  /** Ours; keepalived's is the same with a 2 at the end. */
  readonly source: string;
  /** Lines of its vrrp_instance. */
  readonly theirs: string;
  readonly modern?: boolean;
  readonly notices?: readonly string[];
}

const secret = "0123456789abcdef0123456789abcdef";
const hmac = (antiReplay: "time" | "monotonic"): WireConfig["authentication"] => ({
  type: "hmac",
  keys: [authKey(5, Uint8Array.from(Buffer.from(secret)))],
  activeKey: 5,
  mode: "enforce",
  antiReplay,
  windowSeconds: 5,
});
const theirHmac = (antiReplay: string) =>
  `auth_hmac {\n key 5 "${secret}"\n active_key 5\n anti_replay ${antiReplay}\n mode enforce\n}`;
const unicast = (ttlMin = 0): WireConfig["reach"] => ({
  cast: "unicast",
  peers: [{ address: ip("10.99.0.2"), ttlMin, ttlMax: 255 }],
  ttl: undefined,
  checkSource: true,
});
const theirUnicast = "unicast_src_ip 10.99.0.2\n unicast_peer {\n 10.99.0.1\n }\n check_unicast_src";
const unicast6: WireConfig["reach"] = {
  cast: "unicast",
  peers: [{ address: ip("2001:db8::2"), ttlMin: 64, ttlMax: 64 }],
  ttl: 99,
  checkSource: true,
};
const theirUnicast6 = "unicast_src_ip 2001:db8::2\n unicast_peer {\n 2001:db8::1 min_ttl 99 max_ttl 99\n }";
const over6 = { family: 6 } as const;
const oldSum = { send: "group-pseudo-header", learn: true, oldDestination: groupAddress } as const;
const v2 = (type: "pass" | "ah") => ({ version: 2, authentication: { type, password: "secret12" } }) as const;
const theirV2 = (type: string) => `version 2\n authentication {\n auth_type ${type}\n auth_pass secret12\n }`;

const scenarios: readonly Scenario[] = [
  { name: "v3", wire: {}, source: "10.99.0.1", theirs: "" },
  { name: "v2 PASS", wire: v2("pass"), source: "10.99.0.1", theirs: theirV2("PASS") },
  { name: "v2 AH", wire: v2("ah"), source: "10.99.0.1", theirs: theirV2("AH") },
  {
    name: "v2 AH, unicast",
    wire: { ...v2("ah"), reach: unicast() },
    source: "10.99.0.1",
    theirs: `${theirV2("AH")}\n${theirUnicast}`,
  },
  {
    name: "v3 in another group",
    wire: { reach: { cast: "multicast", group: ip("224.0.0.77") } },
    source: "10.99.0.1",
    theirs: `mcast_dst_ip 224.0.0.77`,
  },
  { name: "v3 unicast", wire: { reach: unicast(255) }, source: "10.99.0.1", theirs: theirUnicast },
  {
    name: "v3 unicast, the old checksum on both sides",
    wire: { reach: unicast(), checksum: oldSum },
    source: "10.99.0.1",
    theirs: `${theirUnicast}\nold_unicast_checksum`,
  },
  {
    name: "v3 unicast, the old checksum on keepalived's side",
    wire: { reach: unicast() },
    source: "10.99.0.1",
    theirs: `${theirUnicast}\nold_unicast_checksum`,
    notices: ["old-checksum"],
  },
  { name: "v3 over IPv6", wire: over6, source: "fe80::1", theirs: "" },
  { name: "v2 over IPv6", wire: { ...over6, version: 2 }, source: "fe80::1", theirs: "version 2" },
  {
    name: "v3 over IPv6, unicast",
    wire: { ...over6, reach: unicast6 },
    source: "2001:db8::1",
    theirs: theirUnicast6,
  },
  {
    name: "v3 with v3_checksum_as_v2",
    wire: { checksum: { send: "message", learn: true, oldDestination: groupAddress } },
    source: "10.99.0.1",
    theirs: `v3_checksum_as_v2`,
    modern: true,
  },
  {
    name: "v3 auth_hmac",
    wire: { authentication: hmac("time") },
    source: "10.99.0.1",
    theirs: theirHmac("time"),
    modern: true,
  },
  {
    name: "v3 auth_hmac without time, unicast",
    wire: { authentication: hmac("monotonic"), reach: unicast() },
    source: "10.99.0.1",
    theirs: `${theirHmac("monotonic")}\n${theirUnicast}`,
    modern: true,
  },
  {
    name: "v2 auth_hmac",
    wire: { version: 2, authentication: hmac("time") },
    source: "10.99.0.1",
    theirs: `version 2\n${theirHmac("time")}`,
    modern: true,
  },
  {
    name: "v3 auth_hmac over IPv6",
    wire: { ...over6, authentication: hmac("time") },
    source: "fe80::1",
    theirs: theirHmac("time"),
    modern: true,
  },
  {
    name: "v3 auth_hmac over IPv6, unicast",
    wire: { ...over6, reach: unicast6, authentication: hmac("time") },
    source: "2001:db8::1",
    theirs: `${theirHmac("time")}\n${theirUnicast6}`,
    modern: true,
  },
];

/** Scenarios run side by side: each has its VRID and its addresses. */
const vipsOf = (vrid: number, family: 4 | 6): readonly string[] =>
  family === 4 ? [`10.99.0.${vrid}`] : [`fe80::${vrid}`, `2001:db8::${vrid}`];

function wireOf({ wire }: Scenario, vrid: number): WireConfig {
  const family = wire.family ?? 4;
  const version = wire.version ?? 3;
  return {
    family,
    version,
    vrid,
    advertInterval: secondsToMicros(version === 2 ? 1 : 0.2),
    addresses: vipsOf(vrid, family).map(ip),
    authentication: { type: "none" },
    reach: { cast: "multicast", group: family === 4 ? groupAddress : groupAddressV6 },
    checksum: { send: "pseudo-header", learn: true, oldDestination: groupAddress },
    ...wire,
  };
}

type CleanUp = (cleanUp: () => Promise<void> | void) => void;

/** Its log so far. */
function startKeepalived(binary: string, scenario: Scenario, vrid: number, cleanUp: CleanUp): () => string {
  const file = (name: string) => join(directory, `${vrid}.${name}`);
  const { version, advertInterval, family } = wireOf(scenario, vrid);
  const vips = vipsOf(vrid, family).map((vip) => (family === 4 ? vip : `${vip}/64`));
  writeFileSync(
    file("conf"),
    `vrrp_instance V {\n state BACKUP\n interface eth0\n virtual_router_id ${vrid}\n priority 100\n version ${version}
 advert_int ${advertInterval / 1e6}\n${scenario.theirs}\n virtual_ipaddress {\n ${vips.join("\n ")}\n }\n}\n`,
  );
  const words = ["netns", "exec", namespaces[1].name, binary, "-n", "-l", "-D", "-P", "-f", file("conf")];
  const child: ChildProcess = spawn("ip", [...words, "-p", file("pid"), "-r", file("vrrp.pid")], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let log = "";
  const collect = (text: unknown): void => {
    log += String(text);
  };
  child.stdout?.on("data", collect);
  child.stderr?.on("data", collect);
  const exited = once(child, "exit");
  cleanUp(async () => {
    child.kill("SIGTERM");
    await exited;
  });
  return () => log;
}

interface Heard {
  readonly verdict: string;
  readonly priority: number;
}

/** A router that speaks and hears, and decides nothing. */
function openRouter(scenario: Scenario, vrid: number, cleanUp: CleanUp) {
  const wire = wireOf(scenario, vrid);
  const source = ip(scenario.source);
  const [left] = namespaces;
  let state = initialWireState;
  const heard: Heard[] = [];
  const take = (datagram: AdvertDatagram): void => {
    const judged = judge(datagram);
    if (judged !== undefined) heard.push(judged);
  };
  const judge = (datagram: AdvertDatagram): Heard | undefined => {
    const decoded = decodePacket(datagram);
    if (!decoded.ok) return { verdict: decoded.reason, priority: -1 };
    const found = findInstance(decoded.packet, [{ wire, address: source }]);
    if (!found.ok) return undefined; // another scenario's
    const facts = { wallMicros: Date.now() * 1_000, ownerIgnores: false, checkAddresses: true };
    const received = receiveAdvertisement(decoded.packet, wire, state, facts);
    if (!received.ok) return { verdict: received.reason, priority: -1 };
    state = received.state;
    return { verdict: received.notices.join(" "), priority: received.advert.priority };
  };
  const socket: AdvertSocket = left.inside(() =>
    openAdvertSocket({
      interface: "eth0",
      ifindex: Number(left.ip("-o", "link", "show", "eth0").split(":")[0]),
      family: wire.family,
      protocol: wire.authentication.type === "ah" ? 51 : 112,
      address: wire.reach.cast === "multicast" ? wire.reach.group : source,
      onDatagrams: (datagrams) => datagrams.forEach(take),
      onError: (error) => heard.push({ verdict: error.message, priority: -1 }),
    }),
  );
  cleanUp(() => socket.close());
  const speak = (priority: number): void => {
    const sent = buildAdvertisement(priority, wire, state, { source, wallMicros: Date.now() * 1_000 });
    state = sent.state;
    for (const packet of sent.packets) socket.send(packet);
  };
  const speakOn = (priority: number) => {
    let spoken = 0;
    const again = (): void => {
      speak(priority);
      spoken++;
    };
    again();
    const timer = setInterval(again, wire.advertInterval / 1_000);
    cleanUp(() => clearInterval(timer));
    return { stop: () => clearInterval(timer), spoken: () => spoken };
  };
  return { heard, speak, speakOn };
}

const { KEEPALIVED_24: modernKeepalived } = process.env;
if (modernKeepalived === undefined) console.warn("KEEPALIVED_24 is not set: auth_hmac is not tried against keepalived");
const runs = [
  ...scenarios.filter(({ modern }) => modern !== true).map((scenario) => ({ ...scenario, binary: "keepalived" })),
  ...(modernKeepalived === undefined ? [] : scenarios.map((scenario) => ({ ...scenario, binary: modernKeepalived }))),
].map((run, index) => ({ ...run, vrid: 101 + index, by: run.binary === "keepalived" ? "Debian's" : "2.4" }));

const patience = { timeout: 20_000 };
const count = (text: string, part: string): number => text.split(part).length - 1;

test.concurrent.for(runs)("$name ($by): heard, taken for master, followed", async (run, { expect, onTestFinished }) => {
  const router = openRouter(run, run.vrid, onTestFinished);
  const log = startKeepalived(run.binary, run, run.vrid, onTestFinished);
  await vi.waitFor(() => expect(router.heard.length).toBeGreaterThan(1), patience);
  expect(log()).toContain("Entering MASTER STATE");

  const speaking = router.speakOn(200);
  await vi.waitFor(() => expect(count(log(), "Entering BACKUP STATE")).toBe(2), patience);
  router.heard.length = 0;
  // Longer than its master-down interval: it hears each of ours.
  const spoken = speaking.spoken();
  await vi.waitFor(() => expect(speaking.spoken()).toBeGreaterThan(spoken + 5), patience);
  expect(router.heard).toEqual([]);

  speaking.stop();
  router.speak(0);
  await vi.waitFor(() => expect(router.heard.length).toBeGreaterThan(1), patience);
  expect(count(log(), "Entering MASTER STATE")).toBe(2);
  const verdicts = new Set(router.heard.map(({ verdict, priority }) => `${priority} ${verdict}`));
  expect(verdicts).toEqual(new Set([`100 ${(run.notices ?? []).join(" ")}`]));
  expect(log()).not.toMatch(/mismatch|invalid|wrong|too (long|short)|not a unicast|replay|stale/i);
});

test("another password, another key, another interval: each is told apart, and keepalived hears none", async ({
  onTestFinished,
}) => {
  const vrid = 90;
  const scenario = { name: "", wire: v2("pass"), source: "10.99.0.1", theirs: theirV2("PASS") };
  const strangers: readonly (readonly [Partial<WireConfig>, string])[] = [
    [{ version: 2, authentication: { type: "pass", password: "secret13" } }, "auth-failure"],
    [{ version: 2, authentication: { type: "none" } }, "auth-type-mismatch"],
    [{ ...v2("pass"), advertInterval: secondsToMicros(2) }, "interval-mismatch"],
    [{}, "bad-version"],
  ];
  const log = startKeepalived("keepalived", scenario, vrid, onTestFinished);
  const routers = strangers.map(([wire, reason]) => ({
    reason,
    ...openRouter({ ...scenario, wire }, vrid, onTestFinished),
  }));
  for (const router of routers) router.speakOn(250);
  await vi.waitFor(() => {
    for (const { heard, reason } of routers) expect(heard.map(({ verdict }) => verdict)).toContain(reason);
  }, patience);
  expect(log()).toContain("Entering MASTER STATE");
  expect(count(log(), "Entering BACKUP STATE")).toBe(1);
});
