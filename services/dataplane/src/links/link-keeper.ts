// Makes the kernel's links what the groundwork says, and keeps them so: called at the start, with every configuration and
// whenever a link has changed. What a plan cannot say, such as settings under /proc/sys, follows the links here. Errors are
// told once and tried again with the next change; nothing throws.
import {
  type AddressTable,
  type LinkChange,
  type LinkDetails,
  type LinkMonitor,
  type LinkTable,
  openLinkTable,
  openPacketFilter,
  type PacketFilter,
} from "@baton/linux";
import { filterRules } from "./filter-rules.ts";
import type { Groundwork, WantedLink } from "./groundwork.ts";
import {
  parentOfVirtualMac,
  parentSettings,
  setParent,
  setUpLink,
  spreadReversePath,
  stopLocalIgmp,
} from "./interface-settings.ts";
import { linkLocalOf, missingAddresses } from "./link-addresses.ts";
import { aliasOf, isOurs, type ParentSettings, planLinks, settingsIn } from "./plan-links.ts";

/** Beside the tables of the silence: nobody else's rules are in it, whatever `nftables` names. */
export const filterTable = "baton_vrrp";

export interface LinkKeeperOptions {
  readonly monitor: LinkMonitor;
  readonly addresses: Pick<AddressTable, "change">;
  onTrouble(message: string, error: unknown): void;
}

export interface LinkKeeper {
  keep(groundwork: Groundwork): void;
  /** Addresses of interfaces below may have changed: what is lent from them follows. */
  addressesChanged(): void;
  /** Removes what it made, and restores what it changed. */
  close(): void;
}

export const openLinkKeeper = (options: LinkKeeperOptions): LinkKeeper => new Keeper(options);

const nothing: Groundwork = { links: [], refused: [], filter: { priority: -1, counters: false }, localIgmp: true };

class Keeper implements LinkKeeper {
  readonly #options: LinkKeeperOptions;
  readonly #table: LinkTable = openLinkTable();
  /** Interfaces below, and what they were before. */
  readonly #parents = new Map<string, ParentSettings>();
  readonly #told = new Set<string>();
  #groundwork = nothing;
  #filter: PacketFilter | undefined;
  #restoreReversePath: (() => void) | undefined;
  #restoreIgmp: (() => void) | undefined;

  constructor(options: LinkKeeperOptions) {
    this.#options = options;
  }

  keep(groundwork: Groundwork): void {
    this.#groundwork = groundwork;
    this.#attempt("links cannot be kept", () => {
      this.#keepIgmp(groundwork.localIgmp);
      const added = this.#keepLinks(groundwork.links);
      this.#keepFilter();
      this.#raise(added);
      this.addressesChanged();
      this.#restoreParents(groundwork.links);
    });
    this.#options.monitor.drain();
  }

  addressesChanged(): void {
    const { monitor, addresses } = this.#options;
    const changes = this.#groundwork.links.flatMap(({ link }) => missingAddresses(link, monitor));
    if (changes.length === 0) return;
    this.#attempt("addresses of links cannot be kept", () => {
      for (const [index, result] of addresses.change(changes).entries()) {
        // There, or gone, already.
        if (result.ok || result.code === "EEXIST" || result.code === "EADDRNOTAVAIL") continue;
        this.#tell(`the address ${changes[index]?.spec.address} cannot be set on a link`, result.message);
      }
    });
    this.#keepFilter();
  }

  close(): void {
    this.keep(nothing);
    this.#attempt("packet filter rules stay", () => this.#filter?.close());
    this.#attempt("rp_filter stays as it is", () => this.#restoreReversePath?.());
    this.#table.close();
  }

  /** Returns the names of the new ones, which are down yet. */
  #keepLinks(wanted: readonly WantedLink[]): WantedLink[] {
    const found = this.#table.list();
    this.#recall(found);
    const plan = planLinks(wanted, found);
    for (const { wanted: each, found: other } of plan.conflicts) {
      this.#tell(`${each.link.name} is somebody else's`, `a link of kind ${other.kind ?? "none"} has the name`);
    }
    this.#change(plan.removes.map(({ ifindex }) => ({ op: "delete", ifindex })));
    this.#change(plan.sets.map(({ found: { ifindex }, up }) => ({ op: "set", link: ifindex, up })));
    if (plan.adds.some(({ wanted: { link } }) => link.kind === "macvlan"))
      this.#restoreReversePath ??= spreadReversePath();
    return plan.adds.filter(({ wanted: each, parent }) => this.#add(each, parent)).map(({ wanted: each }) => each);
  }

  #add({ link }: WantedLink, parent: LinkDetails): boolean {
    const { name, group = parent.group } = link;
    const below = { name, parent: parent.ifindex, group, master: parent.master };
    const spec =
      link.kind === "macvlan"
        ? { ...below, kind: link.kind, mac: link.mac }
        : { ...below, kind: link.kind, mode: link.mode };
    const isAnswering = link.kind === "macvlan" && link.family === 4;
    const before = isAnswering ? (this.#parents.get(parent.name) ?? parentSettings(parent.name)) : undefined;
    const [made, marked] = this.#table.change([
      { op: "add", spec },
      { op: "set", link: name, alias: aliasOf(before) },
    ]);
    if (made?.ok === false || marked?.ok === false) {
      const failed = made?.ok === false ? made : marked;
      this.#tell(
        `${link.kind} ${name} cannot be made on ${parent.name}`,
        failed?.ok === false ? `${failed.code}: ${failed.message}` : "",
      );
      return false;
    }
    this.#attempt(`${name} is not as it should be`, () => setUpLink(link));
    if (before !== undefined) {
      this.#parents.set(parent.name, before);
      this.#attempt(`${parent.name} may answer for addresses of ${name}`, () =>
        setParent(parent.name, parentOfVirtualMac),
      );
    }
    if (link.kind === "macvlan" && link.netlinkNotify)
      this.#change([{ op: "set", link: parent.ifindex, group: parent.group }]);
    return true;
  }

  #raise(added: readonly WantedLink[]): void {
    this.#change(added.filter(({ up }) => up).map(({ link }) => ({ op: "set", link: link.name, up: true })));
  }

  /** What interfaces below were before, from links that an earlier process made. */
  #recall(found: readonly LinkDetails[]): void {
    const names = new Map(found.map(({ ifindex, name }) => [ifindex, name]));
    for (const { alias, parent } of found.filter(isOurs)) {
      const [before, name] = [settingsIn(alias), names.get(parent ?? 0)];
      if (before !== undefined && name !== undefined && !this.#parents.has(name)) this.#parents.set(name, before);
    }
  }

  #restoreParents(wanted: readonly WantedLink[]): void {
    const needed = new Set(
      wanted.filter(({ link }) => link.kind === "macvlan" && link.family === 4).map(({ link }) => link.parent),
    );
    for (const [name, before] of [...this.#parents]) {
      if (needed.has(name)) continue;
      this.#parents.delete(name);
      this.#attempt(`settings of ${name} stay`, () => setParent(name, before));
    }
  }

  #keepIgmp(isWanted: boolean): void {
    if (!isWanted) this.#restoreIgmp ??= stopLocalIgmp();
    else {
      this.#restoreIgmp?.();
      this.#restoreIgmp = undefined;
    }
  }

  /** Rules name interfaces that are there, so they follow every change of links. */
  #keepFilter(): void {
    const { links, refused, filter, localIgmp } = this.#groundwork;
    const { monitor } = this.#options;
    monitor.drain();
    const present = new Set(monitor.links().map(({ name }) => name));
    const filtered = links
      .map(({ link }) => link)
      .filter(({ kind, name, parent }) => kind === "macvlan" && present.has(name) && present.has(parent))
      .map((link) => ({ ...link, linkLocal: linkLocalOf(link, monitor) }));
    const { ip, ip6 } = filterRules({ links: filtered, refused, settings: filter, localIgmp });
    this.#attempt("packets to virtual addresses cannot be filtered", () => {
      this.#filter ??= openPacketFilter(filterTable, {
        onError: (error) => this.#options.onTrouble("the packet filter was removed and cannot be restored", error),
      });
      this.#filter.replace(ip, ip6);
    });
  }

  #change(changes: readonly LinkChange[]): void {
    for (const [index, result] of this.#table.change(changes).entries()) {
      if (result.ok || result.code === "ENODEV") continue;
      this.#tell("a link cannot be changed", `${JSON.stringify(changes[index])}: ${result.code}: ${result.message}`);
    }
  }

  #attempt(what: string, action: () => void): void {
    try {
      action();
    } catch (error) {
      this.#tell(what, error);
    }
  }

  #tell(what: string, error: unknown): void {
    const line = `${what}: ${String(error)}`;
    if (this.#told.has(line)) return;
    this.#told.add(line);
    this.#options.onTrouble(what, error);
  }
}
