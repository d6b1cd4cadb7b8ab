// Slow start: a server that comes to others who serve gets its weight in tenths. A pool in which nobody serves with his
// whole weight has nobody to wait for: there is no ramp in it.
import { addMicros, type Instant, microsSince } from "@baton/domain";
import type { Pool, PoolServer } from "./types.ts";
import { serves } from "./weight.ts";

export const dropRamp = (server: PoolServer): PoolServer =>
  server.ramp === undefined ? server : { ...server, ramp: undefined };

export const ramped = ({ config }: Pool, server: PoolServer, now: Instant): PoolServer =>
  config.slowStart === 0 ? dropRamp(server) : { ...server, ramp: { since: now, tenths: 1 } };

const isWhole = (server: PoolServer): boolean => serves(server) && server.ramp === undefined;

/** Nobody serves with his whole weight: whoever there is is needed at once. */
export const withoutIdleRamps = (pool: Pool): Pool =>
  pool.servers.some(isWhole) || pool.servers.every(({ ramp }) => ramp === undefined)
    ? pool
    : { ...pool, servers: pool.servers.map(dropRamp) };

export function nextRampStep({ servers, config }: Pool): Instant | undefined {
  const steps = servers.flatMap(({ ramp }) =>
    ramp === undefined ? [] : [addMicros(ramp.since, Math.ceil((ramp.tenths * config.slowStart) / 10))],
  );
  return steps.toSorted((a, b) => a - b)[0];
}

/** Whoever is due, by as many tenths as have passed. */
export function stepRamps(pool: Pool, now: Instant): Pool {
  const tenthsOf = (since: Instant): number => Math.floor((microsSince(now, since) * 10) / pool.config.slowStart) + 1;
  return {
    ...pool,
    servers: pool.servers.map((server) => {
      if (server.ramp === undefined) return server;
      const tenths = Math.max(server.ramp.tenths, tenthsOf(server.ramp.since));
      return tenths >= 10 ? dropRamp(server) : { ...server, ramp: { ...server.ramp, tenths } };
    }),
  };
}
