// Interfaces that an instance depends on without naming them in track_interface: those of its addresses, routes and
// rules, and those of static objects whose track_group it is in. Down, they are a fault, as keepalived has it, unless
// the line says no_track; an interface that the instance names itself counts as it says there.
import type { Config, InstanceConfig, TrackRef } from "@baton/keepalived-conf";

type Source = Pick<
  Config,
  "instances" | "syncGroups" | "staticAddresses" | "staticRoutes" | "staticRules" | "trackGroups"
>;

export function withImpliedTrackers<T extends Source>(config: T): T {
  const grouped = interfacesOfGroups(config);
  const instances = config.instances.map((instance): InstanceConfig => {
    const own = new Set([
      ...interfacesOf(instance),
      ...config.trackGroups.flatMap(({ name, members }) =>
        members.includes(instance.name) ? [...(grouped.get(name) ?? [])] : [],
      ),
    ]);
    const group = config.syncGroups.find(({ members }) => members.includes(instance.name));
    const named = [...instance.trackInterfaces, ...(group?.trackInterfaces ?? [])];
    // The instance's own interface is a matter of dont_track_primary.
    for (const name of [instance.interface, ...named.map((ref) => ref.name)]) own.delete(name);
    const implied = [...own].map((name): TrackRef => ({ name, weight: 0, reverse: false }));
    return implied.length === 0
      ? instance
      : { ...instance, trackInterfaces: [...instance.trackInterfaces, ...implied] };
  });
  return { ...config, instances };
}

function interfacesOf({ addresses, excludedAddresses, routes, rules }: InstanceConfig): string[] {
  return [
    ...[...addresses, ...excludedAddresses].flatMap((line) => (line.tracked ? [line.interface] : [])),
    ...routes.flatMap((line) => (line.tracked && line.interface !== undefined ? [line.interface] : [])),
    ...rules.flatMap((line) => (line.tracked && line.inputInterface !== undefined ? [line.inputInterface] : [])),
  ];
}

function interfacesOfGroups({ staticAddresses, staticRoutes, staticRules }: Source): Map<string, Set<string>> {
  const groups = new Map<string, Set<string>>();
  const add = (group: string | undefined, name: string | undefined): void => {
    if (group !== undefined && name !== undefined) groups.set(group, (groups.get(group) ?? new Set()).add(name));
  };
  for (const { trackGroup, interface: name } of [...staticAddresses, ...staticRoutes]) add(trackGroup, name);
  for (const { trackGroup, inputInterface } of staticRules) add(trackGroup, inputInterface);
  return groups;
}
