// What the parts of the supervisor's machine are built from.
import type { ChildName, ChildState, Step, SupervisorState } from "./types.ts";

export const unchanged = (state: SupervisorState): Step => ({ state, effects: [] });

export const withChild = (state: SupervisorState, name: ChildName, child: ChildState): SupervisorState => ({
  ...state,
  children: new Map([...state.children, [name, child]]),
});

/** Steps one after the other, effects in order. */
export function sequence(state: SupervisorState, steps: readonly ((state: SupervisorState) => Step)[]): Step {
  return steps.reduce<Step>(
    (sum, each) => {
      const next = each(sum.state);
      return { state: next.state, effects: [...sum.effects, ...next.effects] };
    },
    { state, effects: [] },
  );
}
