// At most one line per cause and master: what is wrong is wrong with every advert, once a second or a hundred times.
// keepalived forgets what it has told when its state changes or another master is accepted; here too, but two masters
// in turns, or forged ones in thousands, do not make it speak again.
import type { IpAddress } from "@baton/domain";
import type { AdvertNotice, DiscardReason } from "./discard.ts";

export type LogCause = DiscardReason | AdvertNotice;

export interface LogMemory {
  /** The sender of the last advert that was accepted. */
  readonly master: IpAddress | undefined;
  /** What was told while each of the masters was; those beyond `mastersMax` share one entry. */
  readonly told: ReadonlyMap<IpAddress | undefined, ReadonlySet<LogCause>>;
}

const mastersMax = 8;

/** At the start, and again with each change of state. */
export const nothingTold: LogMemory = { master: undefined, told: new Map() };

/** An advert of `master` was accepted. */
export const heardMaster = (memory: LogMemory, master: IpAddress): LogMemory =>
  memory.master === master ? memory : { ...memory, master };

/** Whether this is to be logged now, and the memory of having done so. */
export function tellOnce(memory: LogMemory, cause: LogCause): { readonly memory: LogMemory; readonly tell: boolean } {
  const known = memory.told.has(memory.master) || memory.told.size < mastersMax;
  const master = known ? memory.master : undefined;
  const before = memory.told.get(master) ?? new Set();
  if (before.has(cause)) return { memory, tell: false };
  const told = new Map(memory.told).set(master, new Set([...before, cause]));
  return { memory: { ...memory, told }, tell: true };
}
