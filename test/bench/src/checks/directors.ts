// Who checks: a whole node of Baton, its services carried by nftables; or keepalived, its commands to ip_vs swallowed.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { crowdPort, doorPort } from "@baton/directors";
import type { EventEnvelope } from "@baton/domain";
import { type BatonNode, type Router, waitFor } from "@baton/lab";
import { compileSwallower, ipvsCommand, swallowedAt } from "./swallowed-ipvs.ts";

/** Milliseconds since 1970. */
export interface Moment {
  /** keepalived's command to the kernel; health's word to the balancer. */
  readonly decidedAt: number;
  /** It is in the kernel; undefined: that is not seen. */
  readonly programmedAt: number | undefined;
}

export interface Director {
  processes(): ReadonlyMap<string, number>;
  reload(config: string): void;
  removedAt(server: string): Moment | undefined;
  addedAt(server: string): Moment | undefined;
}

const readyMs = 180_000;

/** RFC 3339 with microseconds → milliseconds with a fraction: Date knows none. */
const momentMs = (time: string): number =>
  Math.floor(Date.parse(time) / 1_000) * 1_000 + Number(/\.(\d+)/.exec(time)?.[1]?.padEnd(6, "0") ?? 0) / 1_000;

export async function startBatonDirector(router: Router, config: string): Promise<Director> {
  const node: BatonNode = await router.startBaton(config, { settings: "load_balancer: nftables\n" });
  await node.waitReady(readyMs);
  const events: EventEnvelope[] = [];
  node.follow((envelope) => events.push(envelope));
  await waitFor("the table", () => events.some(({ event }) => event.type === "balancer-programmed"), {
    deadlineMs: readyMs,
  });
  const momentOf = (server: string, isIt: (envelope: EventEnvelope) => boolean, verb: string): Moment | undefined => {
    const decided = events.find(isIt);
    if (decided === undefined) return undefined;
    const programmed = events.find(
      ({ event }) =>
        event.type === "balancer-programmed" &&
        event.data.changes.some((change) => change.startsWith(`${verb} ${server}`)),
    );
    if (programmed === undefined) return undefined;
    return { decidedAt: momentMs(decided.time), programmedAt: momentMs(programmed.time) };
  };
  return {
    processes: () => new Map([["supervisor", node.pid], ...node.servicePids()]),
    reload: (text) => node.reload(text),
    removedAt: (address) => {
      const server = `${address}:${doorPort}`;
      const isIt = ({ event }: EventEnvelope): boolean =>
        event.type === "destinations-changed" && event.data.removed.includes(server);
      return momentOf(server, isIt, "remove");
    },
    addedAt: (address) => {
      const server = `${address}:${crowdPort}`;
      const isIt = ({ event }: EventEnvelope): boolean =>
        event.type === "destinations-changed" && event.data.set.some((each) => each.server === server);
      return momentOf(server, isIt, "add");
    },
  };
}

export async function startKeepalivedDirector(router: Router, config: string, program: string): Promise<Director> {
  mkdirSync(router.directory, { recursive: true });
  const library = compileSwallower(router.directory);
  if (library === undefined)
    throw new Error("there is no C compiler, without which keepalived needs a kernel with ip_vs");
  const log = join(router.directory, "swallowed.log");
  writeFileSync(log, "");
  const file = "/etc/keepalived/keepalived.conf";
  router.writeFile(file, config);
  const words = ["-C", "-n", "-l", "-p", "/run/k.pid", "-c", "/run/kc.pid", "-f", file];
  const child = await router.spawn("keepalived", [program, ...words], {
    env: { LD_PRELOAD: library, SWALLOWED_LOG: log },
  });
  await child.waitLog(/Startup complete/, readyMs);
  const state = { reloadedAt: 0 };
  const momentOf = (command: number, address: string): Moment | undefined => {
    const decidedAt = swallowedAt(log, command, address, state.reloadedAt);
    return decidedAt === undefined ? undefined : { decidedAt, programmedAt: undefined };
  };
  return {
    processes: () => new Map([["keepalived", child.pid]]),
    reload: (text) => {
      router.writeFile(file, text);
      state.reloadedAt = Date.now();
      child.signal("SIGHUP");
    },
    removedAt: (address) => momentOf(ipvsCommand.deleteDestination, address),
    addedAt: (address) => momentOf(ipvsCommand.newDestination, address),
  };
}
