// Which instances of two routers are one virtual router: same VRID and family. A VRID counts per network segment, of which
// a file tells only the interface's name, which may differ between machines; so where several could be meant, the one
// that shares an address is, then the one on an interface of the same name.
import type { IpAddress } from "@baton/domain";
import type { InstanceConfig } from "../config.ts";
import { type Candidate, candidatesOf } from "./priorities.ts";
import type { InstancePair, PeerFile } from "./rule.ts";

export function pairInstances(
  candidates: ReadonlyMap<InstanceConfig, Candidate>,
  peers: readonly PeerFile[],
): InstancePair[] {
  return peers.flatMap((peer) => {
    const find = indexOf(peer.config.instances);
    const others = candidatesOf(peer.config);
    return [...candidates].flatMap(([own, ownCandidate]) => {
      const other = find(own);
      const otherCandidate = other && others.get(other);
      return other === undefined || otherCandidate === undefined
        ? []
        : [{ own, other, ownCandidate, otherCandidate, peer }];
    });
  });
}

/** Files with thousands of instances are compared: each is looked up, not searched for. */
function indexOf(instances: readonly InstanceConfig[]): (own: InstanceConfig) => InstanceConfig | undefined {
  const byDetail = new Map<string, InstanceConfig>();
  const byRouter = new Map<string, InstanceConfig[]>();
  for (const instance of instances) {
    const router = routerOf(instance);
    for (const detail of [...addressesOf(instance), instance.interface]) byDetail.set(`${router} ${detail}`, instance);
    const alike = byRouter.get(router);
    if (alike === undefined) byRouter.set(router, [instance]);
    else alike.push(instance);
  }
  return (own) => {
    const router = routerOf(own);
    const [first, second] = byRouter.get(router) ?? [];
    if (second === undefined) return first;
    for (const detail of [...addressesOf(own), own.interface]) {
      const found = byDetail.get(`${router} ${detail}`);
      if (found !== undefined) return found;
    }
    return undefined;
  };
}

const routerOf = ({ vrid, family }: InstanceConfig): string => `${family} ${vrid}`;

/** Addresses of the instance on the network, advertised or not. */
export const addressesOf = ({ addresses, excludedAddresses }: InstanceConfig): ReadonlySet<IpAddress> =>
  new Set([...addresses, ...excludedAddresses].map(({ address }) => address));

export function sharesAddress(one: InstanceConfig, other: InstanceConfig): boolean {
  const theirs = addressesOf(other);
  return [...addressesOf(one)].some((address) => theirs.has(address));
}

export function byInstance(pairs: readonly InstancePair[]): ReadonlyMap<InstanceConfig, readonly InstancePair[]> {
  const found = new Map<InstanceConfig, InstancePair[]>();
  for (const pair of pairs) {
    const others = found.get(pair.own);
    if (others === undefined) found.set(pair.own, [pair]);
    else others.push(pair);
  }
  return found;
}

/** `VI_1 of b.conf`, for messages. */
export const nameOf = ({ other, peer }: Pick<InstancePair, "other" | "peer">): string =>
  `${other.name} of ${peer.name}`;

const listMax = 4;
/** The first of many, for messages. */
export const listOf = (items: readonly string[]): string =>
  items.length <= listMax
    ? items.join(", ")
    : `${items.slice(0, listMax).join(", ")} and ${items.length - listMax} more`;
