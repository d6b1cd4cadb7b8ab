// Whether dataplane knows of every mastership that election has. A dataplane that has just been started has an empty
// lease book: until the election that was there has found it and claimed again, that election must not be replaced,
// because its successor resumes only what the book says (SAFETY S5).
import type { AggregateState } from "@baton/contracts";

type States = readonly AggregateState[];

/** The lease of an instance in this state, as watch.proto names it. A leaving one is let go of, and waited for by nobody. */
const leaseOf: Readonly<Record<string, string>> = { master: "held", listening: "silent" };

/** Undefined where the service did not answer: then nobody can say so. */
export function areLeasesKnown(election: States | undefined, dataplane: States | undefined): boolean {
  if (election === undefined || dataplane === undefined) return false;
  const known = new Set(
    dataplane.flatMap(({ state }) =>
      state?.$case === "addresses" ? [keyOf(state.value.instance, state.value.term, state.value.lease)] : [],
    ),
  );
  return election.every(({ state }) => {
    if (state?.$case !== "instance") return true;
    const { name, term } = state.value;
    const lease = leaseOf[state.value.state];
    return lease === undefined || known.has(keyOf(name, term, lease));
  });
}

/** The term too: what a former claim left in the book is not the present one. */
const keyOf = (instance: string, term: number, lease: string): string => JSON.stringify([instance, term, lease]);
