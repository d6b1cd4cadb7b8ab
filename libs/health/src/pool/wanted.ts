// Who is to be in the kernel's table: a function of the pool's state, in the order of the configuration, the sorry server
// last. Whoever programs the table compares it with what is there.
import type { Pool, PoolServer } from "./types.ts";
import { presentWeight } from "./weight.ts";

export interface WantedDestination {
  readonly server: string;
  /** `sorry`: it is there as the sorry server alone. A real server may be the sorry server too. */
  readonly role: "real" | "sorry";
  readonly weight: number;
}

/** `sorry_server` has no weight of its own. */
const sorryWeight = 1;

export function wantedDestinations(pool: Pool): readonly WantedDestination[] {
  if (pool.ended) return [];
  const real = pool.servers.flatMap((server) => wantedServer(pool, server));
  const { sorryServer } = pool.config;
  if (sorryServer === undefined || !(pool.sorry || sorryServer.inhibit)) return real;
  const { server } = sorryServer;
  const weight = pool.sorry ? sorryWeight : 0;
  if (!real.some((each) => each.server === server)) return [...real, { server, role: "sorry", weight }];
  return pool.sorry ? real.map((each) => (each.server === server ? { ...each, weight } : each)) : real;
}

function wantedServer(pool: Pool, server: PoolServer): readonly WantedDestination[] {
  const { config, alive, drain } = server;
  if (drain === "removed") return [];
  const destination = (weight: number): readonly WantedDestination[] => [
    { server: config.server, role: "real", weight },
  ];
  if (pool.held === config.server) return destination(Math.max(1, presentWeight(server)));
  if (alive && !pool.sorry) return destination(presentWeight(server));
  // Who is being drained keeps its connections, whoever serves the new ones.
  return config.inhibitOnFailure || (alive && drain === "draining") ? destination(0) : [];
}

/** It is in the table now: whose end is to be told. */
export const isInTable = (pool: Pool, server: PoolServer): boolean => wantedServer(pool, server).length > 0;
