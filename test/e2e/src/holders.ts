// Who had the virtual address in the kernel, and when: from the kernel's own notifications on each router.
import { type Lab, type LabProcess, virtualAddress } from "@baton/lab";

export interface Holding {
  readonly router: string;
  readonly fromMs: number;
  /** Infinity: still. */
  readonly untilMs: number;
}

export interface Holders {
  /** Until now; times are wall clock in milliseconds. */
  holdings(): Holding[];
  /** The longest time that two routers had the address at once, in milliseconds. */
  longestOverlapMs(): number;
  stop(): Promise<void>;
}

export async function watchHolders(lab: Lab, address: string = virtualAddress): Promise<Holders> {
  const monitors: { router: string; holdsAtStart: boolean; process: LabProcess }[] = [];
  const startedAt = Date.now();
  for (const router of ["r1", "r2"]) {
    const process = await lab.router(router).spawn("monitor", ["ip", "-ts", "-o", "-4", "monitor", "address"]);
    const holdsAtStart = (await lab.router(router).addresses()).some((each) => each.startsWith(`${address}/`));
    monitors.push({ router, holdsAtStart, process });
  }
  const holdings = (): Holding[] =>
    monitors.flatMap(({ router, holdsAtStart, process }) =>
      readHoldings(process.log(), address, holdsAtStart, startedAt).map((each) => ({ router, ...each })),
    );
  return {
    holdings,
    longestOverlapMs: () => longestOverlap(holdings()),
    stop: async () => {
      await Promise.all(monitors.map(({ process }) => process.kill()));
    },
  };
}

/** `[2026-01-01T00:00:00.000001] 2: eth0    inet 172.16.100.1/16 …`, with `Deleted` after the time when it goes. */
export function readHoldings(
  log: string,
  address: string,
  holdsAtStart: boolean,
  startedAt: number,
): Omit<Holding, "router">[] {
  const found: Omit<Holding, "router">[] = [];
  let from = holdsAtStart ? startedAt : undefined;
  for (const line of log.split("\n")) {
    const match = /^\[([^\]]+)\]\s*(Deleted)?.*\binet ([0-9.]+)\//.exec(line);
    if (match === null || match[3] !== address) continue;
    const at = Date.parse(`${match[1]}Z`);
    if (match[2] === undefined) from ??= at;
    else if (from !== undefined) {
      found.push({ fromMs: from, untilMs: at });
      from = undefined;
    }
  }
  if (from !== undefined) found.push({ fromMs: from, untilMs: Number.POSITIVE_INFINITY });
  return found;
}

export function longestOverlap(holdings: readonly Holding[]): number {
  let longest = 0;
  for (const one of holdings) {
    for (const other of holdings) {
      if (one.router === other.router) continue;
      longest = Math.max(longest, Math.min(one.untilMs, other.untilMs) - Math.max(one.fromMs, other.fromMs));
    }
  }
  return longest;
}
