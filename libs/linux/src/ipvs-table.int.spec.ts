// Against a real kernel, in a machine of its own: what was written is what ipvsadm prints and what the table reads back.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type IpAddress, parseIp } from "@baton/domain";
import type {
  Destination,
  DumpedService,
  ForwardingMethod,
  Operation,
  Service,
  ServiceKey,
  SyncDaemon,
} from "@baton/ipvs";
import { ipvsadmRules, sortRules } from "@baton/ipvs";
import { contractViolations, engineContract, tableContract } from "@baton/ipvs/testing";
import { type KernelVm, startKernelVm } from "@baton/kernel-vm";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ChangeResult } from "./api.ts";
import type { IpvsStep, IpvsStepResult } from "./testing/ipvs-steps.ts";

const held: { vm: KernelVm | undefined; runs: number } = { vm: undefined, runs: 0 };
const slowMs = 120_000;

beforeAll(async () => {
  held.vm = await startKernelVm();
}, slowMs);
afterAll(() => held.vm?.stop());

function machine(): KernelVm {
  if (held.vm === undefined) throw new Error("no machine");
  return held.vm;
}

const built = (path: string): string => fileURLToPath(new URL(`../dist/${path}`, import.meta.url));

/** In one process inside. */
async function carryOut(...steps: readonly IpvsStep[]): Promise<IpvsStepResult[]> {
  held.runs += 1;
  const [asked, answered] = ["steps", "results"].map((name) => join(machine().directory, `${name}-${held.runs}.json`));
  if (asked === undefined || answered === undefined) throw new Error("two names make two paths");
  writeFileSync(asked, JSON.stringify(steps));
  await machine().must([process.execPath, built("testing/ipvs-steps-main.js"), asked, answered], {
    timeoutSeconds: 90,
  });
  return JSON.parse(readFileSync(answered, "utf8")) as IpvsStepResult[];
}

async function valuesOf(...steps: readonly IpvsStep[]): Promise<unknown[]> {
  const results = await carryOut(...steps);
  return results.map(({ value, error }) => error ?? value);
}

function ip(text: string): IpAddress {
  const address = parseIp(text);
  if (address === undefined) throw new Error(`no address: ${text}`);
  return address;
}

const familyOf = (text: string): 4 | 6 => (text.includes(":") ? 6 : 4);
const at = (address: string, protocol: "tcp" | "udp" | "sctp" = "tcp", port = 80): ServiceKey => ({
  kind: "address",
  family: familyOf(address),
  protocol,
  address: ip(address),
  port,
});
const marked = (mark: number, family: 4 | 6 = 4): ServiceKey => ({ kind: "fwmark", family, mark });
const service = (key: ServiceKey, more: Partial<Service> = {}): Service => ({
  key,
  scheduler: "wlc",
  flags: 0,
  timeoutSeconds: 0,
  netmask: key.family === 4 ? 0xffffffff : 128,
  engine: undefined,
  ...more,
});
const destination = (address: string, more: Partial<Destination> = {}): Destination => ({
  family: familyOf(address),
  address: ip(address),
  port: 80,
  forwarding: { method: "masquerade" },
  weight: 1,
  upperThreshold: 0,
  lowerThreshold: 0,
  ...more,
});

/** A service, what is behind it, and what ipvsadm has to print of them. */
interface Row {
  readonly service: Service;
  readonly destinations: readonly Destination[];
  readonly printed: readonly string[];
}

const row = (made: Service, printed: string, ...behind: readonly [Destination, string][]): Row => ({
  service: made,
  destinations: behind.map(([each]) => each),
  printed: [`-A ${printed}`, ...behind.map(([, options]) => `-a ${printed.split(" -s ")[0] ?? ""} ${options}`)],
});

const persistent = { flags: 1, timeoutSeconds: 300 };
const tunnel = (encapsulation: Extract<ForwardingMethod, { method: "tunnel" }>["tunnel"]): ForwardingMethod => ({
  method: "tunnel",
  tunnel: encapsulation,
});

const schedulers = ["rr", "wrr", "lc", "wlc", "lblc", "lblcr", "dh", "sh", "sed", "nq", "fo", "ovf", "mh"];
const rows: readonly Row[] = [
  ...schedulers.flatMap((scheduler, index) => [
    row(service(at(`192.0.2.${index + 1}`), { scheduler }), `-t 192.0.2.${index + 1}:80 -s ${scheduler}`),
    row(service(at(`2001:db8::${index + 1}`), { scheduler }), `-t [2001:db8::${index + 1}]:80 -s ${scheduler}`),
  ]),
  // flags
  row(service(at("198.51.100.1"), { scheduler: "sh", flags: 8 }), "-t 198.51.100.1:80 -s sh -b sh-fallback"),
  row(service(at("198.51.100.2"), { scheduler: "sh", flags: 16 }), "-t 198.51.100.2:80 -s sh -b sh-port"),
  row(service(at("198.51.100.3"), { scheduler: "mh", flags: 24 }), "-t 198.51.100.3:80 -s mh -b mh-fallback,mh-port"),
  row(service(at("198.51.100.4"), { flags: 56 }), "-t 198.51.100.4:80 -s wlc -b flag-1,flag-2,flag-3"),
  row(service(at("198.51.100.5", "udp"), { flags: 4 }), "-u 198.51.100.5:80 -s wlc -o"),
  // persistence
  row(service(at("198.51.100.6", "tcp", 0), persistent), "-t 198.51.100.6:0 -s wlc -p 300"),
  row(
    service(at("198.51.100.7"), { ...persistent, netmask: 0xffffff00 }),
    "-t 198.51.100.7:80 -s wlc -p 300 -M 255.255.255.0",
  ),
  row(service(at("2001:db8:1::1"), { ...persistent, netmask: 64 }), "-t [2001:db8:1::1]:80 -s wlc -p 300 -M 64"),
  row(
    service(at("198.51.100.8", "udp", 5060), { ...persistent, engine: "sip" }),
    "-u 198.51.100.8:5060 -s wlc -p 300 --pe sip",
  ),
  // protocols and marks
  row(service(at("198.51.100.9", "sctp", 65535)), "--sctp-service 198.51.100.9:65535 -s wlc"),
  row(service(at("2001:db8:1::2", "udp", 53)), "-u [2001:db8:1::2]:53 -s wlc"),
  row(service(marked(1)), "-f 1 -s wlc", [destination("10.1.0.1", { port: 0 }), "-r 10.1.0.1:0 -m -w 1"]),
  row(service(marked(1, 6)), "-f 1 -6 -s wlc", [destination("fd00::1", { port: 0 }), "-r [fd00::1]:0 -m -w 1"]),
  row(service(marked(4294967295)), "-f -1 -s wlc"), // ipvsadm prints marks with a sign
  // ways of forwarding
  row(
    service(at("203.0.113.1")),
    "-t 203.0.113.1:80 -s wlc",
    [destination("10.1.0.1", { weight: 0 }), "-r 10.1.0.1:80 -m -w 0"],
    [
      destination("10.1.0.2", { port: 8080, weight: 65535, upperThreshold: 200, lowerThreshold: 100 }),
      "-r 10.1.0.2:8080 -m -w 65535",
    ],
    [destination("10.1.0.3", { forwarding: { method: "direct-route" } }), "-r 10.1.0.3:80 -g -w 1"],
    [destination("10.1.0.4", { forwarding: tunnel({ type: "ipip" }) }), "-r 10.1.0.4:80 -i -w 1 --tun-type ipip"],
    [
      destination("10.1.0.5", { forwarding: tunnel({ type: "gue", port: 6080, checksum: "none" }) }),
      "-r 10.1.0.5:80 -i -w 1 --tun-type gue --tun-port 6080 --tun-nocsum",
    ],
    [
      destination("10.1.0.6", { forwarding: tunnel({ type: "gue", port: 65535, checksum: "full" }) }),
      "-r 10.1.0.6:80 -i -w 1 --tun-type gue --tun-port 65535 --tun-csum",
    ],
    [
      destination("10.1.0.7", { forwarding: tunnel({ type: "gue", port: 1, checksum: "remote" }) }),
      "-r 10.1.0.7:80 -i -w 1 --tun-type gue --tun-port 1 --tun-remcsum",
    ],
    [
      destination("10.1.0.8", { forwarding: tunnel({ type: "gre", checksum: "none" }) }),
      "-r 10.1.0.8:80 -i -w 1 --tun-type gre --tun-nocsum",
    ],
    [
      destination("10.1.0.9", { forwarding: tunnel({ type: "gre", checksum: "full" }) }),
      "-r 10.1.0.9:80 -i -w 1 --tun-type gre --tun-csum",
    ],
    [destination("fd00::1", { forwarding: tunnel({ type: "ipip" }) }), "-r [fd00::1]:80 -i -w 1 --tun-type ipip"],
  ),
  row(service(at("2001:db8:1::3")), "-t [2001:db8:1::3]:80 -s wlc", [
    destination("fd00::2", { forwarding: { method: "direct-route" } }),
    "-r [fd00::2]:80 -g -w 1",
  ]),
];

const creating = (made: readonly Row[]): Operation[] =>
  made.flatMap((each) => [
    { kind: "new-service" as const, service: each.service },
    ...each.destinations.map((behind) => ({
      kind: "new-destination" as const,
      service: each.service.key,
      destination: behind,
    })),
  ]);

const flush: Operation = { kind: "flush" };
const noTraffic = { connections: 0, inPackets: 0, outPackets: 0, inBytes: 0, outBytes: 0 };
const noConnections = { active: 0, inactive: 0, persistent: 0 };
const sorted = (words: readonly string[]): string[] => [...words].sort();
const byText = (values: readonly unknown[]): unknown[] =>
  [...values].sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
const failed = (code: string) => ({ ok: false, code, message: expect.stringMatching(/./) });
const done = { ok: true };

test(
  "a kernel without IPVS says so; one that can load it does; nothing stays open",
  async () => {
    const script = `
      const { execFileSync } = await import("node:child_process");
      const { openIpvsTable } = await import(process.argv[1]);
      const { openDescriptors } = await import(process.argv[2]);
      const attempt = () => { try { const table = openIpvsTable(); table.close(); table.close(); return "open"; } catch (error) { return error.code; } };
      const loader = (path) => execFileSync("sh", ["-c", "echo " + path + " >/proc/sys/kernel/modprobe"]);
      const before = openDescriptors();
      loader("/nowhere");
      const without = attempt();
      loader("/sbin/modprobe");
      console.log(JSON.stringify({ without, with: attempt(), opened: openDescriptors().length - before.length }));`;
    const node = [process.execPath, "--input-type=module", "-e", script];
    const said = await machine().must([...node, built("mod.js"), built("testing/namespace.js")], {
      timeoutSeconds: 60,
    });
    expect(JSON.parse(said)).toEqual({ without: "ENOENT", with: "open", opened: 0 });
  },
  slowMs,
);

test(
  "every scheduler, flag, protocol, family and way of forwarding: as ipvsadm prints it, and as it is read back",
  async () => {
    const operations = creating(rows);
    const [changed, printed, thresholds, dumped, cleared] = await valuesOf(
      { call: "change", operations: [flush, ...operations] },
      { call: "shell", command: "ipvsadm -Sn" },
      // ipvsadm saves none
      { call: "shell", command: "ipvsadm -Ln --thresholds -t 203.0.113.1:80" },
      { call: "list" },
      { call: "change", operations: [flush] },
    );
    expect(changed).toEqual([done, ...operations.map(() => done)]);
    expect(
      sorted(
        String(printed)
          .trim()
          .split("\n")
          .map((line) => line.trim()),
      ),
    ).toEqual(sorted(rows.flatMap((each) => each.printed)));
    expect(thresholds).toMatch(/^ *-> 10\.1\.0\.2:8080 +200 +100 /m);
    // and as Baton itself would print what it has read
    expect(sortRules(ipvsadmRules(dumped as DumpedService[]))).toEqual(sortRules(String(printed).split("\n")));
    const read = (dumped as DumpedService[]).map((each) => ({ ...each, destinations: byText(each.destinations) }));
    const written = rows.map((each) => ({
      ...each.service,
      traffic: noTraffic,
      destinations: byText(
        each.destinations.map((behind) => ({ ...behind, connections: noConnections, traffic: noTraffic })),
      ),
    }));
    const byKey = (values: readonly { key: ServiceKey }[]) =>
      new Map(values.map((each) => [JSON.stringify(each.key), each]));
    expect(byKey(read)).toEqual(byKey(JSON.parse(JSON.stringify(written)) as typeof written));
    expect(cleared).toEqual([done]);
  },
  slowMs,
);

test(
  "what is believed of the table, also of the one in memory, is what this kernel does",
  async () => {
    const cases = [...tableContract, engineContract];
    const values = await valuesOf(
      ...cases.flatMap(({ steps }): IpvsStep[] => [
        { call: "change", operations: [flush, ...steps.map(({ operation }) => operation)] },
        { call: "list" },
      ]),
      { call: "change", operations: [flush] },
    );
    const violations = cases.flatMap((each, index) => {
      const [[, ...changed], dumped] = values.slice(2 * index, 2 * index + 2) as [ChangeResult[], DumpedService[]];
      return contractViolations(
        each,
        changed.map((result) => (result.ok ? undefined : result.code)),
        dumped,
      );
    });
    expect(violations).toEqual([]);
  },
  slowMs,
);

test(
  "changes in place, removals, and each mistake by its errno without harm to its neighbours",
  async () => {
    const key = at("192.0.2.1");
    const [one, two] = [destination("10.1.0.1"), destination("10.1.0.2")];
    const behind = (kind: "new-destination" | "set-destination", what: Destination): Operation => ({
      kind,
      service: key,
      destination: what,
    });
    const rows: readonly [Operation, unknown][] = [
      [flush, done],
      [{ kind: "delete-service", service: key }, failed("ESRCH")],
      [behind("new-destination", one), failed("ESRCH")],
      [{ kind: "new-service", service: service(key, { scheduler: "nonesuch" }) }, failed("ENOENT")],
      [{ kind: "new-service", service: service(key, { ...persistent, scheduler: "sh", flags: 9 }) }, done],
      [{ kind: "new-service", service: service(key) }, failed("EEXIST")],
      [behind("new-destination", one), done],
      [behind("new-destination", one), failed("EEXIST")],
      [behind("set-destination", two), failed("ENOENT")],
      [behind("new-destination", { ...two, lowerThreshold: 2, upperThreshold: 1 }), failed("ERANGE")],
      [behind("new-destination", destination("fd00::1")), failed("EINVAL")],
      [behind("new-destination", two), done],
      [behind("set-destination", { ...one, weight: 7, forwarding: tunnel({ type: "gre", checksum: "full" }) }), done],
      [{ kind: "delete-destination", service: key, destination: two }, done],
      [{ kind: "delete-destination", service: key, destination: two }, failed("ENOENT")],
      [{ kind: "set-service", service: service(key, { scheduler: "wrr", flags: 4 }) }, done],
      [{ kind: "set-service", service: service(at("192.0.2.2")) }, failed("ESRCH")],
    ];
    const [changed, printed, missing] = await valuesOf(
      { call: "change", operations: rows.map(([operation]) => operation) },
      { call: "shell", command: "ipvsadm -Sn" },
      { call: "listDestinations", service: at("192.0.2.2") },
    );
    expect(changed).toEqual(rows.map(([, result]) => result));
    expect(printed).toBe(
      "-A -t 192.0.2.1:80 -s wrr -o\n-a -t 192.0.2.1:80 -r 10.1.0.1:80 -i -w 7 --tun-type gre --tun-csum\n",
    );
    expect(missing).toEqual([]);
  },
  slowMs,
);

test(
  "what passes is counted, by service and by destination, until it is set to nothing",
  async () => {
    const key = at("10.9.0.1", "udp", 99);
    const other = at("10.9.0.1", "udp", 98);
    const [, , , , , counted, zeroed, after, everywhere, unknown] = await valuesOf(
      { call: "change", operations: [flush] },
      { call: "shell", command: "ip addr add 10.9.0.1/32 dev lo; ip addr add 10.9.0.2/32 dev lo" },
      {
        call: "change",
        operations: [key, other].flatMap((each): Operation[] => [
          { kind: "new-service", service: service(each) },
          { kind: "new-destination", service: each, destination: destination("10.9.0.2", { port: 99 }) },
        ]),
      },
      { call: "shell", command: "bash -c 'echo four >/dev/udp/10.9.0.1/99; echo four >/dev/udp/10.9.0.1/98'" },
      // The kernel sums up what its processors have counted every two seconds.
      {
        call: "shell",
        command: "until ipvsadm -Ln --stats | grep -c ' 1 *1 *1 *33 *61$' | grep -qx 4; do sleep 0.2; done",
      },
      { call: "list" },
      { call: "zero", service: key },
      { call: "list" },
      { call: "zero" },
      { call: "zero", service: at("10.9.0.1", "udp", 97) },
      { call: "change", operations: [flush] },
    );
    // One packet of 20 + 8 + 5 bytes, and the answer that nobody listens, of 20 + 8 + 33.
    const traffic = { connections: 1, inPackets: 1, outPackets: 1, inBytes: 33, outBytes: 61 };
    const shown = (dumped: unknown, wanted: ServiceKey) =>
      (dumped as DumpedService[])
        .filter(({ key: found }) => JSON.stringify(found) === JSON.stringify(wanted))
        .map((each) => [each.traffic, each.destinations[0]?.traffic, each.destinations[0]?.connections]);
    const connections = { active: 0, inactive: 1, persistent: 0 };
    expect(shown(counted, key)).toEqual([[traffic, traffic, connections]]);
    expect(shown(after, key)).toEqual([[noTraffic, noTraffic, connections]]);
    expect(shown(after, other)).toEqual([[traffic, traffic, connections]]);
    expect([zeroed, everywhere, unknown]).toEqual([done, done, failed("ESRCH")]);
  },
  slowMs,
);

test(
  "what IPVS is, its timeouts and its sync daemons",
  async () => {
    const daemon = (role: SyncDaemon["role"], more: Partial<SyncDaemon> = {}): SyncDaemon => ({
      role,
      interface: "d0",
      id: role === "master" ? 0 : 255,
      maxLength: undefined,
      group: undefined,
      port: undefined,
      ttl: undefined,
      ...more,
    });
    const chosen = { maxLength: 1300, group: ip("ff02::99"), port: 9000, ttl: 3 };
    const values = await valuesOf(
      { call: "info" },
      { call: "setTimeouts", timeouts: { tcp: 100, tcpFin: 0, udp: 7 } },
      { call: "timeouts" },
      {
        call: "shell",
        command: "ip link add d0 mtu 1500 type dummy; ip addr add 10.8.0.1/24 dev d0; ip link set d0 up multicast on",
      },
      { call: "listDaemons" },
      { call: "startDaemon", daemon: daemon("master", { interface: "nonesuch" }) },
      { call: "startDaemon", daemon: daemon("master") },
      { call: "startDaemon", daemon: daemon("master") },
      { call: "startDaemon", daemon: daemon("backup", chosen) },
      { call: "listDaemons" },
      { call: "shell", command: "ipvsadm -ln --daemon" },
      { call: "stopDaemon", role: "master" },
      { call: "stopDaemon", role: "master" },
      { call: "stopDaemon", role: "backup" },
      { call: "startDaemon", daemon: daemon("backup", { maxLength: 100, group: ip("224.0.0.99") }) },
      { call: "listDaemons" },
      { call: "stopDaemon", role: "backup" },
      { call: "listDaemons" },
    );
    expect(values.filter((_, index) => index !== 3 && index !== 10)).toEqual([
      { version: "1.2.1", connectionTableSize: 4096 },
      done,
      { tcp: 100, tcpFin: 120, udp: 7 }, // 0 leaves the kernel's own 120 s
      [],
      failed("ENODEV"),
      done,
      failed("EEXIST"),
      done,
      [
        { ...daemon("master"), maxLength: 1472, group: "224.0.0.81", port: 8848, ttl: 1 },
        { ...daemon("backup"), ...chosen },
      ],
      done,
      failed("ESRCH"),
      done,
      done,
      // A backup takes in at least 1,024 octets, whatever it was told.
      [{ ...daemon("backup"), maxLength: 1024, group: "224.0.0.99", port: 8848, ttl: 1 }],
      done,
      [],
    ]);
    expect(values[10]).toMatch(
      /^master sync daemon \(mcast=d0, syncid=0, maxlen=1472, group=224\.0\.0\.81, port=8848, ttl=1\)$/m,
    );
    expect(values[10]).toMatch(
      /^backup sync daemon \(mcast=d0, syncid=255, maxlen=1300, group=ff02::99, port=9000, ttl=3\)$/m,
    );
  },
  slowMs,
);

test(
  "a sync daemon that is stopped before it has begun to run",
  async () => {
    const daemon: SyncDaemon = {
      role: "backup",
      interface: "lo",
      id: 1,
      maxLength: undefined,
      group: undefined,
      port: undefined,
      ttl: undefined,
    };
    // One processor, and whoever asks goes before the daemon: it cannot run until it is waited for.
    const alone = "echo 0 >/sys/devices/system/cpu/cpu1/online; chrt -f -p 50 $PPID; ip link set lo multicast on";
    const [, ...values] = await valuesOf(
      { call: "shell", command: alone },
      ...Array.from({ length: 5 }, (): IpvsStep[] => [
        { call: "startDaemon", daemon },
        { call: "stopDaemon", role: "backup" },
      ]).flat(),
      { call: "listDaemons" },
      { call: "shell", command: "chrt -o -p 0 $PPID; echo 1 >/sys/devices/system/cpu/cpu1/online" },
    );
    expect(values).toEqual([...Array.from({ length: 10 }, () => done), [], ""]);
  },
  slowMs,
);

test(
  "a thousand services of two destinations each",
  async () => {
    const keys = Array.from({ length: 1000 }, (_, index) => at(`10.0.${index >> 8}.${index & 255}`));
    const operations = keys.flatMap((key): Operation[] => [
      { kind: "new-service", service: service(key, { scheduler: "rr" }) },
      { kind: "new-destination", service: key, destination: destination("10.1.0.1") },
      { kind: "new-destination", service: key, destination: destination("10.1.0.2") },
    ]);
    const results = await carryOut(
      { call: "change", operations: [flush, ...operations] },
      { call: "listServices" },
      { call: "list" },
      { call: "shell", command: "ipvsadm -Sn >/run/saved; wc -l </run/saved; ipvsadm -C" },
      { call: "shell", command: "ipvsadm -R </run/saved" },
      { call: "change", operations: [flush] },
    );
    const [changed, services, listed, printed, , cleared] = results.map(({ value }) => value);
    expect((changed as ChangeResult[]).filter(({ ok }) => !ok)).toEqual([]);
    expect([services, listed].map((list) => (list as unknown[]).length)).toEqual([1000, 1000]);
    expect((listed as DumpedService[]).filter(({ destinations }) => destinations.length !== 2)).toEqual([]);
    expect(String(printed).trim()).toBe("3000");
    expect(cleared).toEqual([done]);
    const [written, servicesRead, allRead, , restored] = results.map(
      ({ milliseconds }) => `${milliseconds.toFixed(0)} ms`,
    );
    console.info(
      `1,000 services of 2 destinations, emulated: written in ${written} (ipvsadm -R: ${restored}), ` +
        `services read in ${servicesRead}, all of it in ${allRead}`,
    );
  },
  slowMs,
);
