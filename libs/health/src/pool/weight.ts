// The weight of a server as a function of what is known now: nothing is added up over time, so nothing can be left over.
import type { WeightPart } from "../check/types.ts";
import type { Drain, PoolServer } from "./types.ts";

/** The kernel's. */
export const weightMax = 2 ** 31 - 1;

export interface WeightInputs {
  readonly configured: number;
  /** Of its checks. */
  readonly parts: readonly WeightPart[];
  readonly drain: Drain;
  /** Slow start, 1 to 10. */
  readonly tenths: number;
}

/** From 0 to weightMax. A ramp makes no weight 0 of one that is more. */
export function effectiveWeight({ configured, parts, drain, tenths }: WeightInputs): number {
  if (drain !== "none") return 0;
  // Two programs that each set a weight both count, as keepalived adds their differences from the configured one.
  const sum = parts.reduce(
    (total, { kind, weight }) => total + (kind === "added" ? weight : weight - configured),
    configured,
  );
  const whole = Math.max(0, Math.min(weightMax, sum));
  return whole === 0 ? 0 : Math.max(1, Math.floor((whole * tenths) / 10));
}

const inputs = ({ config, checks, drain }: PoolServer, tenths: number): WeightInputs => ({
  configured: config.weight,
  parts: checks.flatMap(({ weight }) => (weight === undefined ? [] : [weight])),
  drain,
  tenths,
});

/** What it is worth for the quorum: without its ramp. */
export const wholeWeight = (server: PoolServer): number => effectiveWeight(inputs(server, 10));

/** What it gets now. */
export const presentWeight = (server: PoolServer): number => effectiveWeight(inputs(server, server.ramp?.tenths ?? 10));

/** It takes new connections while the pool is in service. */
export const serves = (server: PoolServer): boolean => server.alive && wholeWeight(server) > 0;
