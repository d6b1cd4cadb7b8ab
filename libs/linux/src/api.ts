// What Baton asks of the kernel: plain objects from factory functions, each owning its descriptors until close().
// Only data crosses this door: no descriptor, buffer or errno of the native side leaks to a service.
import type { Instant, IpAddress } from "@baton/domain";

export interface Closable {
  /** Gives every descriptor back; calling it twice does no harm. No handler runs afterwards. */
  close(): void;
}

// --- time ---------------------------------------------------------------------------------------------------------

/** One deadline of CLOCK_BOOTTIME in the main loop, without the millisecond rounding of Node's own timers. */
export interface DeadlineTimer extends Closable {
  /** Replaces the deadline; undefined disarms. A deadline that has passed fires in the next turn of the loop. */
  arm(at: Instant | undefined): void;
}

// --- VRRP ---------------------------------------------------------------------------------------------------------

/** Where packets have to be sent to, to be heard. */
export interface AdvertSocketPlace {
  readonly interface: string;
  /** Undefined: whatever interface routing says, for unicast alone. */
  readonly ifindex: number | undefined;
  readonly family: 4 | 6;
  /** 112, or 51 for VRRPv2's authentication header. */
  readonly protocol: 112 | 51;
  /** A multicast group is joined, any other address is bound to: only what was sent there is heard. */
  readonly address: IpAddress;
}

/** An advert that may concern somebody here: what can be told of it without knowing whose it is. */
export interface ExpectedAdvert {
  readonly version: 2 | 3;
  readonly vrid: number;
}

export interface AdvertSocketOptions extends AdvertSocketPlace {
  /** Nothing else gets in, and over a link nothing that crossed a router; undefined: everything. */
  readonly expected?: Iterable<ExpectedAdvert>;
  /** Datagrams that arrived, oldest first; never empty, at most `limits.datagramsPerTurn`. Those that `drain` hands out do not come here again. */
  onDatagrams(datagrams: readonly AdvertDatagram[]): void;
  /** The socket is of no use any more and has closed itself: open a new one when the interface is there. */
  onError(error: Error): void;
}

/** A copy of its own, and `receivedAt` when the kernel received it, not when we came to read it (SAFETY S2). */
export type AdvertDatagram =
  | {
      readonly family: 4;
      /** From the IPv4 header on, which says sender, destination and TTL. */
      readonly bytes: Uint8Array;
      /** It was longer than `limits.datagramBytes`. */
      readonly truncated: boolean;
      readonly receivedAt: Instant;
    }
  | {
      readonly family: 6;
      /** What follows the IPv6 header; the checksum is not yet verified by anybody. */
      readonly bytes: Uint8Array;
      readonly source: IpAddress;
      readonly destination: IpAddress;
      readonly hopLimit: number | undefined;
      readonly truncated: boolean;
      readonly receivedAt: Instant;
    };

export interface AdvertPacket {
  /** IPv4: from its header on; the kernel fills in checksum and total length. IPv6: what follows the header. */
  readonly bytes: Uint8Array;
  /** IPv4: as in the header. IPv6: an address of this machine. */
  readonly source: IpAddress;
  readonly destination: IpAddress;
  /** IPv6; undefined: the kernel's choice. */
  readonly hopLimit: number | undefined;
}

export interface AdvertSocket extends Closable {
  /**
   * Never queues and never waits. Throws VrrpSocketError: ENETUNREACH or ENETDOWN while the link is down, ENODEV once the
   * interface is gone, ENOBUFS or EAGAIN when the queue is full, EBADF after close, EINVAL without a source; EINVAL or
   * EADDRNOTAVAIL where an IPv6 source is no address of this machine.
   */
  send(packet: AdvertPacket): void;
  /** What waits in the socket right now, oldest first, at most `limits.datagramsPerDrain` (SAFETY S2). */
  drain(): AdvertDatagram[];
  /** Another expectation; what waits already is not judged by it. Throws VrrpSocketError. */
  expect(expected: Iterable<ExpectedAdvert>): void;
  /** How many found no room since the last call. */
  missed(): number;
}

export interface StrangerSocketOptions extends AdvertSocketPlace {
  readonly expected: Iterable<ExpectedAdvert>;
  /** Something waits. Not said again before a `read` that left no more. */
  onWaiting(): void;
  /** As an advert socket's. */
  onError(error: Error): void;
}

export interface StrangersRead {
  /** The oldest that wait, at most `max`. */
  readonly datagrams: readonly AdvertDatagram[];
  /** How many found no room since the last call; expected ones may be among them, which the advert socket has. */
  readonly missed: number;
  /** More may wait. */
  readonly more: boolean;
}

/** Everything that an advert socket of the same place and expectation keeps out, in a small buffer of its own. */
export interface StrangerSocket extends Closable {
  read(max: number): StrangersRead;
  /** Another expectation; what waits already is thrown away, for it might be expected now. Throws VrrpSocketError. */
  expect(expected: Iterable<ExpectedAdvert>): void;
}

// --- links and addresses ------------------------------------------------------------------------------------------

export interface LinkInfo {
  readonly ifindex: number;
  readonly name: string;
  /** Administratively up and with carrier: IFF_UP and IFF_RUNNING. */
  readonly up: boolean;
  /** `aa:bb:cc:dd:ee:ff`; undefined on links without one. */
  readonly mac: string | undefined;
  /** ARPHRD_*: 1 ethernet, 772 loopback. */
  readonly type: number;
  /** IFLA_INFO_KIND such as "veth" or "macvlan"; undefined for hardware. */
  readonly kind: string | undefined;
  readonly mtu: number;
  /** IFF_NOARP: nothing is to be announced there. */
  readonly noArp: boolean;
  /** Of a VRF: the routing table that is its own. */
  readonly vrfTable?: number;
}

/** What only their makers ask of links. */
export interface LinkDetails extends LinkInfo {
  /** Administratively up. */
  readonly adminUp: boolean;
  /** The interface below, by index; undefined: none that is in this namespace. */
  readonly parent: number | undefined;
  /** The bridge, bond or VRF that it is in. */
  readonly master: number | undefined;
  readonly group: number;
  /** Free text beside the name. */
  readonly alias: string | undefined;
  /** A macvlan in private mode. */
  readonly isPrivate: boolean;
}

interface AnyLinkSpec {
  readonly name: string;
  /** The interface below, by index. */
  readonly parent: number;
  readonly group: number;
  readonly master: number | undefined;
}

export type LinkSpec =
  /** In private mode. */
  | (AnyLinkSpec & { readonly kind: "macvlan"; readonly mac: string })
  /** Of layer 2. */
  | (AnyLinkSpec & { readonly kind: "ipvlan"; readonly mode: "bridge" | "private" | "vepa" });

export type LinkChange =
  /** Down at first. EEXIST when the name is taken, EOPNOTSUPP where the kernel has no such links. */
  | { readonly op: "add"; readonly spec: LinkSpec }
  | {
      readonly op: "set";
      /** By index or name. */
      readonly link: number | string;
      readonly up?: boolean | undefined;
      readonly group?: number | undefined;
      readonly alias?: string | undefined;
    }
  | { readonly op: "delete"; readonly ifindex: number };

export interface LinkTable extends Closable {
  /** A fresh dump. Throws LinuxError. */
  list(): LinkDetails[];
  /** Carries the changes out in order, and returns one result each. Throws LinuxError when the answers were lost. */
  change(batch: readonly LinkChange[]): ChangeResult[];
}

export interface LinkMonitorOptions {
  /** Links or addresses differ from what was last told; read them from links() and addresses(). */
  onChange(): void;
  /** Events were lost; the monitor has read everything anew and calls onChange after this. */
  onGap(): void;
}

/**
 * A mirror of the kernel's links and addresses, kept up to date by rtnetlink. Of Baton's own IPv4 addresses it knows the
 * lifetime that they began with: their renewals are not even received.
 */
export interface LinkMonitor extends Closable {
  links(): readonly LinkInfo[];
  /** In the kernel's order: the first of a subnet is its primary. */
  addresses(ifindex: number): readonly AddressInfo[];
  /** Takes in every event that waits, before a decision (SAFETY S2). Calls onChange synchronously if they say anything new. */
  drain(): void;
}

export interface AddressInfo {
  readonly ifindex: number;
  readonly address: IpAddress;
  readonly prefixLength: number;
  /** The other end of a point-to-point address, when it differs. */
  readonly peer: IpAddress | undefined;
  /** IPv4 only. The kernel gives the interface's name where none was set. */
  readonly label: string | undefined;
  readonly broadcast: IpAddress | undefined;
  /** RT_SCOPE_*: 0 global, 200 site, 253 link, 254 host. */
  readonly scope: number;
  readonly flags: AddressFlags;
  /** IFA_PROTO, the tag of who made it; 0 when untagged. */
  readonly protocol: number;
  /** Seconds left; undefined: for ever. */
  readonly validLifetime: number | undefined;
  readonly preferredLifetime: number | undefined;
}

export interface AddressFlags {
  readonly permanent: boolean;
  readonly secondary: boolean;
  readonly noPrefixRoute: boolean;
  readonly noDad: boolean;
  readonly tentative: boolean;
  readonly dadFailed: boolean;
  readonly deprecated: boolean;
  readonly homeAddress: boolean;
  readonly manageTemporary: boolean;
  readonly autojoin: boolean;
}

/** An address as it is to be. The kernel's renewal overwrites what is not repeated, so this says all of it each time (SAFETY S10). */
export interface AddressSpec {
  readonly ifindex: number;
  readonly address: IpAddress;
  readonly prefixLength: number;
  readonly peer?: IpAddress | undefined;
  /** IPv4 only, at most 15 bytes. */
  readonly label?: string | undefined;
  readonly broadcast?: IpAddress | undefined;
  /** Default: global. */
  readonly scope?: number | undefined;
  readonly noPrefixRoute?: boolean | undefined;
  /** IPv6 only: Mobile IPv6's home address. */
  readonly homeAddress?: boolean | undefined;
  /** IPv6 only: the kernel makes temporary addresses of its prefix (RFC 8981). */
  readonly manageTemporary?: boolean | undefined;
  /** A multicast address that the kernel itself joins. */
  readonly autojoin?: boolean | undefined;
  /** IPv6 only. */
  readonly noDad?: boolean | undefined;
  readonly protocol?: number | undefined;
  /** Whole seconds above zero; undefined: for ever. */
  readonly validLifetime?: number | undefined;
  /** Default: as validLifetime; 0 keeps the address from being chosen as a source (IPv6). */
  readonly preferredLifetime?: number | undefined;
}

export type AddressChange =
  /** EEXIST when it is there. */
  | { readonly op: "add"; readonly spec: AddressSpec }
  /** Creates it, or renews its lifetime and tag. */
  | { readonly op: "replace"; readonly spec: AddressSpec }
  /** EADDRNOTAVAIL when it is not there. */
  | {
      readonly op: "delete";
      readonly spec: Pick<AddressSpec, "ifindex" | "address" | "prefixLength" | "peer" | "label">;
    };

/** Of one change of a table of the kernel: addresses, links, routes, rules. */
export type ChangeResult =
  | { readonly ok: true }
  /** `code` as errnoName gives it, e.g. "EEXIST"; `message`: the kernel's own explanation where it has one. */
  | { readonly ok: false; readonly code: string; readonly message: string };

export type AddressEvent = { readonly type: "set" | "removed"; readonly address: AddressInfo };

export interface AddressTableOptions {
  /** What changed, by us or anybody else, in order. A renewal is a change too, except of Baton's own IPv4 addresses. */
  onChange?(events: readonly AddressEvent[]): void;
  /** Events were lost: list() again and compare. */
  onGap?(): void;
}

export interface AddressTable extends Closable {
  /** A fresh dump of the kernel's table. Throws LinuxError. */
  list(): AddressInfo[];
  /**
   * Carries the changes out in order, and returns one result each. Throws LinuxError when the answers were lost (ENOBUFS,
   * ETIMEDOUT): then list() tells what is. The kernel works inside the call, about 20 µs a
   * change with up to a thousand addresses: hand over `limits.changesPerSend` at a time where the loop must stay responsive.
   */
  change(batch: readonly AddressChange[]): ChangeResult[];
}

// --- neighbours ----------------------------------------------------------------------------------------------------------

export interface ArpPacket {
  readonly operation: "request" | "reply";
  readonly senderMac: string;
  readonly senderIp: IpAddress;
  readonly targetIp: IpAddress;
}

export interface ArpPort extends Closable {
  /** One gratuitous ARP request each, in order: broadcast, sender and target are the address. Stops at the first error. */
  sendGratuitous(addresses: readonly IpAddress[], mac: string): AnnounceResult;
  /** Starts to listen; replaces an earlier handler. undefined stops. Own packets are not heard. */
  onArp(handler: ((packet: ArpPacket) => void) | undefined): void;
}

export interface AnnounceResult {
  readonly sent: number;
  /** What stopped it: LinuxError with code ENETDOWN, ENXIO (interface gone), ENOBUFS … */
  readonly error: Error | undefined;
}

/** What a neighbour says of an address of its own. */
export interface NeighbourAdvertisement {
  readonly target: IpAddress;
  readonly mac: string;
}

export interface NdPort extends Closable {
  /** One unsolicited neighbour advertisement each, in order, from the address itself to all nodes. Stops at the first error. */
  sendUnsolicited(
    addresses: readonly IpAddress[],
    sender: { readonly mac: string; readonly router: boolean },
  ): AnnounceResult;
  /** Starts to listen for advertisements from the link; replaces an earlier handler. undefined stops. Own ones are not heard. */
  onAdvertisement(handler: ((heard: NeighbourAdvertisement) => void) | undefined): void;
}

export interface NeighbourSilenceOptions {
  /** Somebody removed a table (a firewall reload flushes everybody's); it is there again, with what was silenced. */
  onRepaired?(): void;
  /** The repair failed; the next silence() tries again. */
  onError?(error: Error): void;
}

/**
 * Addresses that stay but do not answer their neighbours: the kernel drops every ARP packet that names one as its sender,
 * and every neighbour advertisement and solicitation that comes from one.
 */
export interface NeighbourSilence {
  /** What is silenced now, including what an earlier process left (SAFETY S6: a crash must not give the answer back). */
  silenced(): readonly IpAddress[];
  /** Takes effect before it returns (well below a millisecond). Silencing twice is fine. Throws LinuxError. */
  silence(addresses: readonly IpAddress[]): void;
  unsilence(addresses: readonly IpAddress[]): void;
  clear(): void;
  /** Removes the tables: everything answers again. */
  close(): void;
}

export interface PacketFilterOptions {
  /** Somebody removed the table; it is there again. */
  onRepaired?(): void;
  onError?(error: Error): void;
}

/** Two tables, for IPv4 and IPv6, which nobody else writes to. */
export interface PacketFilter {
  /** Replaces all rules in one transaction, in the language of nft; empty: no table. Throws LinuxError. */
  replace(ip: string, ip6: string): void;
  /** Removes the tables. */
  close(): void;
}

// --- processes ----------------------------------------------------------------------------------------------------

export interface UserIds {
  readonly uid: number;
  readonly gid: number;
}
