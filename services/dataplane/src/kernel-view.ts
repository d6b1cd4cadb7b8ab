// What the kernel has, as last told: links by name and every address, in the kernel's order. Events keep it roughly
// right and say when to look; only a read decides that something is missing (events of our own changes come late).
import { addMicros, type Instant, type IpAddress, ipToBytes, micros } from "@baton/domain";
import { type AddressEvent, type AddressInfo, type AddressSpec, addressTag, type LinkInfo } from "@baton/linux";
import { addressKey, type ManagedAddress } from "./desired.ts";

/** The kernel tells of a new IPv6 address within a tenth of a millisecond; a busy machine within some. */
const readyWait = micros(50_000);

const keyOf = (ifindex: number, address: IpAddress, prefixLength: number): string =>
  `${ifindex} ${address}/${prefixLength}`;

export class KernelView {
  #links: ReadonlyMap<string, LinkInfo> = new Map();
  #addresses = new Map<string, AddressInfo>();
  /** The same by the keys of managed addresses, which go by the interface's name; made when asked for. */
  #named: Map<string, AddressInfo> | undefined;
  /**
   * IPv6 addresses that are in the kernel's table, but not in its routes: those it makes in a thread of its own, and
   * tells of the address then. Announced sooner, packets would come that nobody takes. Until when we wait for it.
   */
  readonly #unready = new Map<string, Instant>();
  /** Rises with everything that may change what is to be done. */
  revision = 0;

  setLinks(links: readonly LinkInfo[]): void {
    this.#links = new Map(links.map((link) => [link.name, link]));
    this.#named = undefined;
    this.revision++;
  }

  setAddresses(addresses: readonly AddressInfo[]): void {
    this.#addresses = new Map(addresses.map((info) => [keyOf(info.ifindex, info.address, info.prefixLength), info]));
    this.#named = undefined;
    this.revision++;
  }

  /** A known address keeps its place in the order, as in the kernel. */
  apply(events: readonly AddressEvent[]): void {
    for (const { type, address } of events) {
      const key = keyOf(address.ifindex, address.address, address.prefixLength);
      this.#unready.delete(key);
      if (type === "set") this.#addresses.set(key, address);
      else this.#addresses.delete(key);
      const name = this.nameOf(address.ifindex);
      if (name === undefined) continue;
      const named = addressKey(name, address.address, address.prefixLength);
      if (type === "set") this.#named?.set(named, address);
      else this.#named?.delete(named);
    }
  }

  link(name: string): LinkInfo | undefined {
    return this.#links.get(name);
  }

  find(managed: ManagedAddress): AddressInfo | undefined {
    this.#named ??= this.#byName();
    return this.#named.get(managed.key);
  }

  #byName(): Map<string, AddressInfo> {
    const names = new Map([...this.#links.values()].map((link) => [link.ifindex, link.name]));
    const named = new Map<string, AddressInfo>();
    for (const info of this.#addresses.values()) {
      const name = names.get(info.ifindex);
      if (name !== undefined) named.set(addressKey(name, info.address, info.prefixLength), info);
    }
    return named;
  }

  /** It was added just now. Duplicate detection shows in its flags, and ends with an event as well. */
  added({ family, interface: name, address, prefixLength }: ManagedAddress, now: Instant): void {
    const link = this.#links.get(name);
    if (family === 4 || link === undefined) return;
    this.#unready.set(keyOf(link.ifindex, address, prefixLength), addMicros(now, readyWait));
  }

  /** The kernel has still to tell of an address before packets to it arrive. */
  get isAwaiting(): boolean {
    return this.#unready.size > 0;
  }

  /** Whether packets to it arrive. */
  isReady({ interface: name, address, prefixLength }: ManagedAddress, now: Instant): boolean {
    if (this.#unready.size === 0) return true;
    const link = this.#links.get(name);
    if (link === undefined) return true;
    const key = keyOf(link.ifindex, address, prefixLength);
    const until = this.#unready.get(key);
    if (until !== undefined && until <= now) this.#unready.delete(key);
    return !this.#unready.has(key);
  }

  /** Another one whenever an address may have become ready. */
  readiness(now: Instant): number {
    for (const [key, until] of this.#unready) if (until <= now) this.#unready.delete(key);
    return this.#unready.size;
  }

  deadlines(): Iterable<Instant> {
    return this.#unready.values();
  }

  has(info: AddressInfo): boolean {
    return this.#addresses.has(keyOf(info.ifindex, info.address, info.prefixLength));
  }

  nameOf(ifindex: number): string | undefined {
    for (const link of this.#links.values()) if (link.ifindex === ifindex) return link.name;
    return undefined;
  }

  /** On these interfaces, everything that carries our tag. */
  *tagged(interfaces: ReadonlySet<string>): Iterable<{ readonly interface: string; readonly info: AddressInfo }> {
    const names = new Map([...this.#links.values()].map((link) => [link.ifindex, link.name]));
    for (const info of this.#addresses.values()) {
      const name = names.get(info.ifindex);
      if (info.protocol === addressTag && name !== undefined && interfaces.has(name)) yield { interface: name, info };
    }
  }

  /**
   * An address of `virtual_ipaddress` that is the interface's own: made by somebody else, for ever, and the one that
   * the interface speaks with (the first that is not secondary). Taking it away would take the node off the network,
   * so it stays (SAFETY S16). A label that only our configuration gives says that a VRRP router put it there.
   */
  isInterfacesOwn(info: AddressInfo, managed: ManagedAddress): boolean {
    if (info.protocol === addressTag || info.validLifetime !== undefined || info.flags.secondary) return false;
    if (managed.label !== undefined && managed.label !== managed.interface && info.label === managed.label)
      return false;
    for (const other of this.#addresses.values()) {
      if (other.ifindex !== info.ifindex || other.address.includes(":") !== info.address.includes(":")) continue;
      if (other.flags.secondary || other.scope !== info.scope) continue;
      return other.address === info.address && other.prefixLength === info.prefixLength;
    }
    return false;
  }

  /**
   * Whether an address that is to stay would go with this one: the kernel drops the secondaries of a subnet with its
   * primary, unless it is told to promote them.
   */
  carriesSecondaries(info: AddressInfo, leaves: ReadonlySet<AddressInfo>): boolean {
    if (info.flags.secondary || info.address.includes(":") || info.prefixLength === 32) return false;
    for (const other of this.#addresses.values()) {
      if (other.ifindex !== info.ifindex || !other.flags.secondary || other.prefixLength !== info.prefixLength)
        continue;
      if (!leaves.has(other) && sameSubnet(info.address, other.address, info.prefixLength)) return true;
    }
    return false;
  }
}

function sameSubnet(a: IpAddress, b: IpAddress, prefixLength: number): boolean {
  const [left, right] = [ipToBytes(a), ipToBytes(b)];
  if (left.length !== right.length) return false;
  for (let bit = 0; bit < prefixLength; bit += 8) {
    const mask = prefixLength - bit >= 8 ? 0xff : (0xff << (8 - (prefixLength - bit))) & 0xff;
    if (((left[bit / 8] ?? 0) & mask) !== ((right[bit / 8] ?? 0) & mask)) return false;
  }
  return true;
}

/** Label, broadcast, scope and prefix route cannot be changed in place: an address that differs is made anew. */
export function isAsConfigured(info: AddressInfo, managed: ManagedAddress): boolean {
  const { flags } = info;
  if (flags.noPrefixRoute !== managed.noPrefixRoute || info.peer !== managed.peer) return false;
  if (flags.homeAddress !== managed.homeAddress || flags.manageTemporary !== managed.manageTemporary) return false;
  if (flags.autojoin !== managed.autojoin) return false;
  if (managed.family === 6) return true;
  if (info.scope !== managed.scope || (info.label ?? managed.interface) !== (managed.label ?? managed.interface))
    return false;
  return info.broadcast === managed.broadcast;
}

/** Everything about the address each time: a renewal overwrites what it does not repeat (SAFETY S10). */
export const specOf = (managed: ManagedAddress, ifindex: number, lifetime: number | undefined): AddressSpec => ({
  ifindex,
  address: managed.address,
  prefixLength: managed.prefixLength,
  peer: managed.peer,
  label: managed.family === 4 ? managed.label : undefined,
  broadcast: managed.broadcast,
  scope: managed.family === 4 ? managed.scope : undefined,
  noPrefixRoute: managed.noPrefixRoute,
  homeAddress: managed.homeAddress,
  manageTemporary: managed.manageTemporary,
  autojoin: managed.autojoin,
  // The virtual address moves between routers: a probe would find the one that is leaving (SAFETY S6).
  noDad: managed.family === 6 && !managed.detectDuplicates,
  protocol: addressTag,
  validLifetime: lifetime,
  preferredLifetime: preferredOf(managed, lifetime),
});

/** No longer than the address is there. */
function preferredOf({ family, preferredLifetime }: ManagedAddress, lifetime: number | undefined): number | undefined {
  if (family === 4 || preferredLifetime === undefined) return lifetime;
  return Math.min(preferredLifetime, lifetime ?? preferredLifetime);
}

export const isUsable = (info: AddressInfo): boolean => !info.flags.tentative && !info.flags.dadFailed;
