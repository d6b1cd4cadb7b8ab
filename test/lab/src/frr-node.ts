// FRRouting's vrrpd on a router: another implementation of VRRP than keepalived's. It runs with zebra, which tells it of
// interfaces; both keep to /run/frr, which is the router's own. A virtual router needs a macvlan interface with the MAC
// address of RFC 9568 and its virtual addresses on it; vrrpd switches that interface on and off.
import type { LabProcess } from "./lab-process.ts";
import type { Machine } from "./machine.ts";
import { waitFor } from "./wait.ts";

export interface FrrVirtualRouter {
  readonly vrid: number;
  readonly version: 2 | 3;
  readonly family: 4 | 6;
  readonly priority: number;
  readonly intervalMs: number;
  readonly addresses: readonly string[];
}

export interface FrrNode {
  /** By VRID: Initialize, Backup, Master. */
  states(): Promise<Map<number, string>>;
  setPriority(vrid: number, priority: number): Promise<void>;
  /** SIGTERM to vrrpd, and then to zebra. */
  stop(): Promise<void>;
  kill(): Promise<void>;
}

const directory = "/run/frr";
const family = { 4: { word: "ip", octet: "01", prefix: 16 }, 6: { word: "ipv6", octet: "02", prefix: 64 } } as const;
const linkOf = (each: FrrVirtualRouter): string => `vrrp${each.family}-${each.vrid}`;
const hex = (vrid: number): string => vrid.toString(16).padStart(2, "0");

/** What its documentation tells the user to do before. */
const linkCommands = (each: FrrVirtualRouter): string[] => [
  `ip link add ${linkOf(each)} link eth0 type macvlan mode bridge`,
  `ip link set ${linkOf(each)} address 00:00:5e:00:${family[each.family].octet}:${hex(each.vrid)}`,
  ...each.addresses.map(
    (address) =>
      `ip address add ${address}/${family[each.family].prefix} dev ${linkOf(each)}${each.family === 6 ? " nodad" : ""}`,
  ),
  `ip link set ${linkOf(each)} up`,
];

const configLines = ({ vrid, version, priority, intervalMs, addresses, ...each }: FrrVirtualRouter): string[] => [
  ` vrrp ${vrid} version ${version}`,
  ` vrrp ${vrid} priority ${priority}`,
  ` vrrp ${vrid} advertisement-interval ${intervalMs}`,
  ...addresses.map((address) => ` vrrp ${vrid} ${family[each.family].word} ${address}`),
];

export async function startFrr(router: Machine, virtualRouters: readonly FrrVirtualRouter[]): Promise<FrrNode> {
  await router.exec(`rm -rf ${directory}; install -d -o frr -g frr ${directory}`);
  router.writeFile("/etc/frr/zebra.conf", "");
  router.writeFile("/etc/frr/vrrpd.conf", `interface eth0\n${virtualRouters.flatMap(configLines).join("\n")}\n`);
  for (const each of virtualRouters) await router.exec(`ip link del ${linkOf(each)}`); // of one that was killed
  await router.exec(virtualRouters.flatMap(linkCommands).join("\n"));
  const start = async (name: "zebra" | "vrrpd"): Promise<LabProcess> => {
    const child = await router.spawn(name, [
      `/usr/lib/frr/${name}`,
      "-f",
      `/etc/frr/${name}.conf`,
      "-P",
      "0",
      "--log",
      "stdout",
    ]);
    await waitFor(`${name} to listen`, async () => {
      if (!child.running) throw new Error(`${name} has ended: ${child.log()}`);
      return (await router.exec(["test", "-S", `${directory}/${name}.vty`])).code === 0;
    });
    return child;
  };
  const zebra = await start("zebra");
  const vrrpd = await start("vrrpd");
  const ask = (...commands: string[]) =>
    router.exec(["vtysh", "-d", "vrrpd", ...commands.flatMap((command) => ["-c", command])]);
  const end = async (how: "stop" | "kill"): Promise<void> => {
    await vrrpd[how]();
    await zebra[how]();
  };
  return {
    async states() {
      const { stdout } = await ask("show vrrp json");
      const all = JSON.parse(stdout || "[]") as { vrid: number; v4: { status: string }; v6: { status: string } }[];
      const familyOf = new Map(virtualRouters.map((each) => [each.vrid, each.family]));
      return new Map(all.map(({ vrid, v4, v6 }) => [vrid, (familyOf.get(vrid) === 6 ? v6 : v4).status]));
    },
    async setPriority(vrid, priority) {
      await ask("configure terminal", "interface eth0", `vrrp ${vrid} priority ${priority}`);
    },
    stop: () => end("stop"),
    kill: () => end("kill"),
  };
}
