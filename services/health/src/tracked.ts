// Which objects of a configuration are looked at: those that an instance or a group tracks, and files that a FILE_CHECK
// follows. keepalived leaves the others alone, too.
import type { Config, TrackRef } from "@baton/keepalived-conf";

type Tracks = "trackScripts" | "trackFiles" | "trackProcesses";

/** By name, in the order of the file; of two with one name keepalived uses the first. */
export function trackedOf<T extends { readonly name: string }>(
  objects: readonly T[],
  { instances, syncGroups, virtualServers }: Pick<Config, "instances" | "syncGroups" | "virtualServers">,
  tracks: Tracks,
): Map<string, T> {
  const checked = virtualServers.flatMap(({ realServers }) => realServers.flatMap(({ checkers }) => checkers));
  const refs: readonly TrackRef[] = [...instances, ...syncGroups].flatMap((each) => each[tracks]);
  const files = checked.flatMap((checker) => (checker.type === "FILE_CHECK" ? [checker.trackFile] : []));
  const used = new Set([...refs.map(({ name }) => name), ...(tracks === "trackFiles" ? files : [])]);
  return firstByName(objects.filter(({ name }) => used.has(name)));
}

export function firstByName<T extends { readonly name: string }>(objects: readonly T[]): Map<string, T> {
  const named = new Map<string, T>();
  for (const object of objects) if (!named.has(object.name)) named.set(object.name, object);
  return named;
}
