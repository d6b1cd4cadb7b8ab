// Checkers that try nothing and follow what others find out: the number in a file, the state of a BFD session.
import type { CheckNews, WeightPart } from "./types.ts";

export type FollowedConfig =
  | {
      readonly type: "FILE_CHECK";
      readonly name: string;
      readonly identity: string;
      /** The number times this is added to the server's weight; 0: the number decides alone. */
      readonly weight: number;
      readonly reverse: boolean;
    }
  | { readonly type: "BFD_CHECK"; readonly name: string; readonly identity: string; readonly alpha: boolean };

export interface FollowedCheck {
  readonly config: FollowedConfig;
  readonly up: boolean;
  readonly hasRun: boolean;
  readonly weight: WeightPart | undefined;
}

export interface FollowedStep {
  readonly state: FollowedCheck;
  /** undefined: nobody has to know. */
  readonly news: CheckNews | undefined;
}

/** The range of weights; at its lower end, and below, is failure. */
const weightMax = 2 ** 31 - 1;
const fault = -(2 ** 31);

/** A file's checker is up until its number is known: where it is before a pool begins, it is followed before. */
export const startFollowed = (config: FollowedConfig, origin: "start" | "reload"): FollowedCheck => ({
  config,
  up: origin === "reload" || config.type === "FILE_CHECK" || !config.alpha,
  hasRun: false,
  weight: undefined,
});

/** `value`: of a `track_file`, as readTrackedNumber reads it. */
export function followFile(state: FollowedCheck, value: number): FollowedStep {
  if (state.config.type !== "FILE_CHECK") return { state, news: undefined };
  const status = statusOf(state.config, value);
  const up = status > fault;
  const weight: WeightPart | undefined = up && status !== 0 ? { kind: "added", weight: status } : undefined;
  const next = { ...state, up, hasRun: true, weight };
  if (up !== state.up) return { state: next, news: "changed" };
  return { state: next, news: weight?.weight === state.weight?.weight ? undefined : "weight" };
}

function statusOf({ weight, reverse }: { readonly weight: number; readonly reverse: boolean }, value: number): number {
  if (weight === 0) return (value !== 0) === reverse ? 0 : fault;
  return Math.max(fault, Math.min(weightMax, value * weight * (reverse ? -1 : 1)));
}

/** `up`: of the session; every change of it counts at once. */
export function followBfd(state: FollowedCheck, up: boolean): FollowedStep {
  if (state.config.type !== "BFD_CHECK") return { state, news: undefined };
  const next = { ...state, up, hasRun: true };
  if (up !== state.up) return { state: next, news: "changed" };
  return { state: next, news: !state.hasRun && (state.config.alpha || !up) ? "confirmed" : undefined };
}
