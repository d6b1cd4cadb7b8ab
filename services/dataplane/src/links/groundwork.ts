// What has to be there for addresses to stand on: the interfaces that instances have for themselves, and the rules that
// keep packets from them. Follows from the configuration and from who is leaving; the kernel is compared with it whenever
// a link changes. Pure.
import type { IpAddress } from "@baton/domain";
import type { VirtualLink } from "@baton/keepalived-conf";
import type { DesiredInstance } from "../desired.ts";

export interface FilterSettings {
  readonly priority: number;
  readonly counters: boolean;
}

export interface Groundwork {
  readonly links: readonly WantedLink[];
  /** `no_accept`: packets to and from these are dropped. */
  readonly refused: readonly RefusedAddress[];
  readonly filter: FilterSettings;
  /** False for `disable_local_igmp`: the kernel does not report its groups of link-local scope. */
  readonly localIgmp: boolean;
}

export interface WantedLink {
  readonly link: VirtualLink;
  /** False: its instance has a successor, and nothing of it may leave any more (SAFETY S6). */
  readonly up: boolean;
}

export interface RefusedAddress {
  readonly address: IpAddress;
  readonly interface: string;
}

/** `quiet`: instances whose successor has been heard. A link that somebody else needs stays up. */
export function groundworkOf(
  instances: Iterable<DesiredInstance>,
  quiet: ReadonlySet<string>,
  { filter, localIgmp }: Pick<Groundwork, "filter" | "localIgmp">,
): Groundwork {
  const links = new Map<string, WantedLink>();
  const refused: RefusedAddress[] = [];
  for (const { name, links: own, accepts, addresses } of instances) {
    for (const link of own) {
      const up = !quiet.has(name) || links.get(link.name)?.up === true;
      links.set(link.name, { link, up });
    }
    if (!accepts) refused.push(...addresses.map(({ address, interface: on }) => ({ address, interface: on })));
  }
  return { links: [...links.values()], refused, filter, localIgmp };
}
