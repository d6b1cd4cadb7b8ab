// From what a pool says by name (who is in the service now, and with which weight) to what the table needs of each: the
// rest is in the configuration.
import { type IpAddress, ipFamily } from "@baton/domain";
import type { RealServerConfig, SorryServerConfig, VirtualServerConfig } from "@baton/keepalived-conf";
import { destinationName } from "./model.ts";
import type { PoolServer } from "./wanted.ts";

/** One server of a pool, as the pool machine hands it out. */
export interface PoolWeight {
  /** `poolServerName`. */
  readonly server: string;
  /** `sorry`: it is in the service as the sorry server alone. */
  readonly role: "real" | "sorry";
  readonly weight: number;
}

/** What a real or sorry server is called in its pool: address and port as they are configured. */
export const poolServerName = ({ address, port }: { readonly address: IpAddress; readonly port: number }): string =>
  destinationName({ family: ipFamily(address), address, port });

/** Who is not configured (any more) is left out. */
export function poolServers(server: VirtualServerConfig, weights: readonly PoolWeight[]): PoolServer[] {
  const real = new Map(server.realServers.map((each) => [poolServerName(each), each]));
  const sorry = server.sorryServer && { name: poolServerName(server.sorryServer), config: server.sorryServer };
  return weights.flatMap(({ server: name, role, weight }): PoolServer[] => {
    if (role === "sorry") return sorry?.name === name ? [sorryEntry(sorry.config, weight)] : [];
    const config = real.get(name);
    return config === undefined ? [] : [realEntry(config, weight)];
  });
}

const realEntry = (
  { address, port, forwarding, upperThreshold, lowerThreshold }: RealServerConfig,
  weight: number,
): PoolServer => ({ address, port, forwarding, weight, upperThreshold, lowerThreshold });

/** It takes whoever comes. */
const sorryEntry = ({ address, port, forwarding }: SorryServerConfig, weight: number): PoolServer => ({
  address,
  port,
  forwarding,
  weight,
  upperThreshold: 0,
  lowerThreshold: 0,
});
