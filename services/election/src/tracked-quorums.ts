// The virtual servers whose quorum instances track (`track_virtual_servers` of baton.yaml). What one member of a sync group
// tracks all of them do: a group takes over only where each of its members would.
import { type Micros, micros } from "@baton/domain";
import type { Settings } from "@baton/host";
import { type Config, type InstanceConfig, virtualServerName } from "@baton/keepalived-conf";
import { quorumHold } from "./quorum-hold.ts";

export interface TrackedQuorum {
  readonly name: string;
  readonly weight: number;
  readonly hold: Micros;
}

/** An instance of keepalived.conf with what baton.yaml adds to it. */
export type ElectedInstance = InstanceConfig & { readonly quorums?: readonly TrackedQuorum[] };

type Source = Pick<Config, "instances" | "syncGroups" | "virtualServers">;

export function withTrackedQuorums<T extends Source>(
  config: T,
  { trackVirtualServers = [] }: Pick<Settings, "trackVirtualServers">,
): Omit<T, "instances"> & { readonly instances: readonly ElectedInstance[] } {
  if (trackVirtualServers.length === 0) return config;
  const servers = new Map(config.virtualServers.map((server) => [virtualServerName(server), server]));
  const entries = trackVirtualServers.flatMap(({ name, weight, instances, holdSeconds }) => {
    const server = servers.get(name);
    if (server === undefined) return [];
    const hold = holdSeconds === undefined ? quorumHold(server) : micros(Math.round(holdSeconds * 1_000_000));
    return [{ instances: instances && new Set(instances), quorum: { name, weight, hold } }];
  });
  const groupOf = new Map(config.syncGroups.flatMap(({ members }) => members.map((member) => [member, members])));
  const instances = config.instances.map((instance): ElectedInstance => {
    const together = groupOf.get(instance.name) ?? [instance.name];
    const own = entries.filter(
      (entry) => entry.instances === undefined || together.some((name) => entry.instances?.has(name)),
    );
    // Two members may name the same one with two weights: the first counts.
    const quorums = new Map(own.reverse().map(({ quorum }) => [quorum.name, quorum]));
    return quorums.size === 0 ? instance : { ...instance, quorums: [...quorums.values()] };
  });
  return { ...config, instances };
}
