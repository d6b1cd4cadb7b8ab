// The parent's side of a flood.
import type { StartedProcess } from "./lab-process.ts";
import type { Machine } from "./machine.ts";
import { script } from "./prober.ts";
import { waitFor } from "./wait.ts";

/**
 * `strangers`: VRIDs 200 to 255. `forged`: of this VRID, each wrong in one of several ways. `mutated`: of this VRID too, with
 * octets changed at random. None is to be believed.
 */
export type FloodKind = "strangers" | "forged" | "mutated";

export interface FloodOptions {
  readonly kind: FloodKind;
  readonly vrid?: number;
  /** Packets a second; a busy machine sends fewer. */
  readonly rate: number;
}

export interface Flood {
  /** Packets so far. */
  sent(): number;
  stop(): Promise<void>;
}

export interface FloodMessage {
  readonly sent: number;
}

/** Resolves when the first packets have left. */
export async function startFlood(machine: Machine, { kind, vrid = 51, rate }: FloodOptions): Promise<Flood> {
  const state = { sent: 0 };
  const argv = [process.execPath, script("flood"), "eth0", machine.address, String(rate), kind, String(vrid)];
  const child = (await machine.spawn("flood", argv, {
    onMessage: (message) => {
      state.sent = (message as FloodMessage).sent;
    },
  })) as StartedProcess;
  await waitFor("the flood to begin", () => {
    if (!child.running) throw new Error(`the flood has ended: ${child.log()}`);
    return state.sent > 0;
  });
  return { sent: () => state.sent, stop: async () => void (await child.kill()) };
}
