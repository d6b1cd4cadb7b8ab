// The parent's side of a flood.
import type { StartedProcess } from "./lab-process.ts";
import type { Machine } from "./machine.ts";
import { script } from "./prober.ts";
import { waitFor } from "./wait.ts";

/**
 * `strangers`: VRIDs 200 to 255. `forged`: of this VRID, each wrong in one of several ways. `mutated`: of this VRID too, with
 * octets changed at random. `malformed`: the corpus of libs/vrrp, round after round, what is for its n-th instance on the
 * n-th of the lab's more cables. None is to be believed.
 */
export type FloodKind = "strangers" | "forged" | "mutated" | "malformed";

export interface FloodOptions {
  readonly kind: FloodKind;
  readonly vrid?: number;
  /** Packets a second; a busy machine sends fewer. */
  readonly rate: number;
  /** Falls silent when each of its packets has left so many times. */
  readonly rounds?: number;
}

export interface Flood {
  /** Packets so far. */
  sent(): number;
  /** All rounds are over. */
  isOver(): boolean;
  stop(): Promise<void>;
}

export interface FloodMessage {
  readonly sent: number;
  readonly isOver: boolean;
}

/** Resolves when the first packets have left. */
export async function startFlood(
  machine: Machine,
  { kind, vrid = 51, rate, rounds = Number.POSITIVE_INFINITY }: FloodOptions,
): Promise<Flood> {
  const state: { last: FloodMessage } = { last: { sent: 0, isOver: false } };
  const numbers = [rate, vrid, rounds].map(String);
  // It stands for another machine, which does not share its cores with the routers.
  const argv = ["nice", "-n", "-10", process.execPath, script("flood"), "eth0", machine.address, kind, ...numbers];
  const child = (await machine.spawn("flood", argv, {
    onMessage: (message) => {
      state.last = message as FloodMessage;
    },
  })) as StartedProcess;
  await waitFor("the flood to begin", () => {
    if (!child.running) throw new Error(`the flood has ended: ${child.log()}`);
    return state.last.sent > 0;
  });
  return { sent: () => state.last.sent, isOver: () => state.last.isOver, stop: async () => void (await child.kill()) };
}
