// Who runs, as Watch shows it: what `baton status` and the metrics tell of the node's processes.
import type { AggregateState, ServiceState } from "@baton/contracts";
import type { Instant } from "@baton/domain";
import type { ChildName } from "./types.ts";

export interface ServiceStates {
  /** `spared`: who is not needed, and told of only while it runs all the same. */
  update(
    children: ReadonlyMap<ChildName, { readonly pid: number; readonly restarts: number }>,
    spared?: ReadonlySet<ChildName>,
  ): void;
  states(): AggregateState[];
}

export function createServiceStates(names: Iterable<ChildName>, now: () => Instant): ServiceStates {
  const known = new Map<ChildName, ServiceState>(
    [...names].map((name) => [name, { name, pid: 0, status: "down", restarts: 0, startedAt: 0 }]),
  );
  let hidden: ReadonlySet<ChildName> = new Set();
  return {
    update(children, spared = new Set()) {
      hidden = new Set([...spared].filter((name) => !children.has(name)));
      for (const [name, before] of known) {
        const child = children.get(name);
        const startedAt = child?.pid === before.pid ? before.startedAt : now();
        known.set(
          name,
          child === undefined
            ? { ...before, pid: 0, status: "down", startedAt: 0 }
            : { name, ...child, status: "running", startedAt },
        );
      }
    },
    states: () =>
      [...known].flatMap(([name, value]) =>
        hidden.has(name) ? [] : [{ kind: "service", id: name, version: 0, state: { $case: "service", value } }],
      ),
  };
}
