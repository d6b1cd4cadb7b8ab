// From the links that are there to those that are wanted. A link of ours says so in its alias, together with what the
// interface below had been set to: whoever finds it after a crash knows whose it is and what to restore. Pure.
import type { LinkDetails } from "@baton/linux";
import type { WantedLink } from "./groundwork.ts";

export interface LinkPlan {
  /** Left by an earlier run, or made otherwise than is wanted now. */
  readonly removes: readonly LinkDetails[];
  readonly adds: readonly { readonly wanted: WantedLink; readonly parent: LinkDetails }[];
  /** There as wanted, but for this. */
  readonly sets: readonly { readonly found: LinkDetails; readonly up: boolean }[];
  /** Somebody else's link has the name. */
  readonly conflicts: readonly { readonly wanted: WantedLink; readonly found: LinkDetails }[];
}

/** What `use_vmac` changes on the interface below. */
export interface ParentSettings {
  readonly arpIgnore: string;
  readonly arpFilter: string;
}

const mark = "baton";

export const aliasOf = (before: ParentSettings | undefined): string =>
  before === undefined ? mark : `${mark} arp_ignore=${before.arpIgnore} arp_filter=${before.arpFilter}`;

export const isOurs = ({ alias }: LinkDetails): boolean => alias === mark || alias?.startsWith(`${mark} `) === true;

/** undefined: the alias does not say. */
export function settingsIn(alias: string | undefined): ParentSettings | undefined {
  const [, arpIgnore, arpFilter] = /^baton arp_ignore=(\d) arp_filter=(\d)$/.exec(alias ?? "") ?? [];
  return arpIgnore === undefined || arpFilter === undefined ? undefined : { arpIgnore, arpFilter };
}

export function planLinks(wanted: readonly WantedLink[], found: readonly LinkDetails[]): LinkPlan {
  const byName = new Map(found.map((link) => [link.name, link]));
  const names = new Set(wanted.map(({ link }) => link.name));
  const removes = found.filter((link) => isOurs(link) && !names.has(link.name));
  const adds: { wanted: WantedLink; parent: LinkDetails }[] = [];
  const sets: { found: LinkDetails; up: boolean }[] = [];
  const conflicts: { wanted: WantedLink; found: LinkDetails }[] = [];
  for (const each of wanted) {
    const { link, up } = each;
    const parent = byName.get(link.parent);
    const known = byName.get(link.name);
    if (known !== undefined && !isOurs(known) && !isLeftover(known, each, parent)) {
      conflicts.push({ wanted: each, found: known });
    } else if (known !== undefined && isOurs(known) && isAsWanted(known, each, parent)) {
      if (known.adminUp !== up) sets.push({ found: known, up });
    } else {
      if (known !== undefined) removes.push(known);
      if (parent !== undefined) adds.push({ wanted: each, parent });
    }
  }
  return { removes, adds, sets, conflicts };
}

function isAsWanted(found: LinkDetails, { link }: WantedLink, parent: LinkDetails | undefined): boolean {
  if (found.kind !== link.kind || parent === undefined || !isAbove(found, parent)) return false;
  if (found.group !== (link.group ?? parent.group) || found.master !== parent.master) return false;
  return link.kind === "ipvlan" || (found.mac === link.mac && found.isPrivate);
}

/** A macvlan on a macvlan is made on what is below both: the kernel tells that one. */
const isAbove = (found: LinkDetails, parent: LinkDetails): boolean =>
  found.parent === parent.ifindex || (parent.kind === found.kind && found.parent === parent.parent);

/** Of a VRRP router that ended without cleaning up: the address that it has says so, or its name and place. */
function isLeftover(found: LinkDetails, { link }: WantedLink, parent: LinkDetails | undefined): boolean {
  if (parent === undefined || found.kind !== link.kind || !isAbove(found, parent)) return false;
  return link.kind === "ipvlan" || found.mac === link.mac || /^00:00:5e:00:0[12]:/.test(found.mac ?? "");
}
