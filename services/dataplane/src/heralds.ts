// What a takeover of many addresses announces while it adds them: one round of what the kernel has taken so far, then the
// next part. For each address that comes the kernel goes through those it has, 13 ms for a thousand, and the neighbours of
// the first need not wait for the last. What is announced so is in the kernel, which has acknowledged it; whether it counts
// as held the read-back decides that follows (SAFETY S9), and all other rounds wait for that. Pure.
import type { Instant, IpAddress } from "@baton/domain";
import { limits } from "@baton/linux";
import { speakerOn } from "./announcing.ts";
import type { KernelView } from "./kernel-view.ts";
import type { Plan } from "./plan.ts";
import type { Herald } from "./types.ts";

interface Run extends Herald {
  readonly addresses: IpAddress[];
  after: number;
}

/**
 * None where one send adds everything: there is nothing to be ahead of. `until`: how long an instance may be announced
 * on the word of its lease; undefined: not before all its addresses are there.
 */
export function heraldsOf(
  { removes, adds }: Plan,
  until: (instance: string) => Instant | undefined,
  view: KernelView,
): Herald[] {
  const runs: Run[] = [];
  if (adds.length <= limits.changesPerSend) return runs;
  const ends = new Map<string, Instant | undefined>();
  const endOf = (instance: string): Instant | undefined => {
    if (!ends.has(instance)) ends.set(instance, until(instance));
    return ends.get(instance);
  };
  let run: Run | undefined;
  for (const [index, { wanted, remade }] of adds.entries()) {
    const { instance, interface: name, address } = wanted.address;
    const isSame = run?.instance === instance && run.interface === name;
    if (remade) run = undefined;
    else if (run === undefined || !isSame || run.addresses.length === limits.changesPerSend) {
      const [speaker, end] = [speakerOn(name, view), endOf(instance)];
      const isKnown = speaker !== undefined && end !== undefined;
      run = isKnown ? { instance, interface: name, ...speaker, until: end, addresses: [], after: 0 } : undefined;
      if (run !== undefined) runs.push(run);
    }
    if (run === undefined) continue;
    run.addresses.push(address);
    run.after = removes.length + index + 1;
  }
  return runs;
}
