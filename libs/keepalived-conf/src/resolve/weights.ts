// Priorities that cannot change: of an address owner, and of a member whose group goes by faults alone. What would change
// them becomes a fault, or is not tracked.
import type { TrackedConfig, TrackRef } from "../config.ts";
import type { ValueBlock } from "../keywords/table.ts";
import { vrrpInstance } from "../keywords/vrrp-instance.ts";
import { type Block, entries } from "../syntax/tree.ts";
import { adjust, type ResolveContext } from "./context.ts";
import { placesOfNames } from "./tracking.ts";

const { keywords } = vrrpInstance;

interface Fixed {
  readonly block: Block<string>;
  /** As in "priority 255 never changes". */
  readonly because: string;
  /** A member of a group: interfaces become faults. An owner's are not tracked. */
  readonly grouped: boolean;
}

/** Weights of 0 cause faults and stay. Processes keep their weights: keepalived forgets them here. */
export function withoutWeights(tracked: TrackedConfig, fixed: Fixed, context: ResolveContext): TrackedConfig {
  const { block, because, grouped } = fixed;
  const strip = (
    refs: readonly TrackRef[],
    keyword: ValueBlock,
    become: (ref: TrackRef) => "fault" | "untracked",
  ): TrackRef[] => {
    const places = placesOfNames(entries(block, keyword));
    return refs.flatMap((ref) => {
      if (ref.weight === 0) return ref;
      const place = places.get(ref.name) ?? block.place;
      const fault = become(ref) === "fault";
      const message = `${because}: the weight of ${ref.name} has no effect${fault ? "" : " and it is not tracked"}`;
      adjust(context, place, "owner-weight", message, fault ? { used: `${ref.name} weight 0` } : {});
      return fault ? { ...ref, weight: 0 } : [];
    });
  };
  return {
    ...tracked,
    trackInterfaces: strip(tracked.trackInterfaces, keywords.trackInterface, () => (grouped ? "fault" : "untracked")),
    trackScripts: strip(tracked.trackScripts, keywords.trackScript, () => "untracked"),
    // 1 is what counts when nothing is said: it may not have been meant.
    trackFiles: strip(tracked.trackFiles, keywords.trackFile, ({ weight }) => (weight === 1 ? "fault" : "untracked")),
    trackBfds: strip(tracked.trackBfds, keywords.trackBfd, () => "untracked"),
  };
}
