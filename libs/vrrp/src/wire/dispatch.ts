// Which instance a packet is meant for. Several may share a VRID: one per family and multicast group, and any number of
// unicast ones whose peers tell them apart.
import type { IpAddress } from "@baton/domain";
import type { DiscardReason } from "./discard.ts";
import type { VrrpPacket } from "./packet.ts";
import { isMulticast, peerOf, type WireConfig } from "./wire.ts";

/** An instance that listens on the interface where the packet came in. */
export interface Listener {
  readonly wire: WireConfig;
  /** Where unicast packets to it arrive; undefined while it has no address. */
  readonly address: IpAddress | undefined;
}

export type Dispatched<Instance> =
  | { readonly ok: true; readonly instance: Instance }
  | { readonly ok: false; readonly reason: Extract<DiscardReason, "unknown-vrid" | "wrong-cast"> };

/** `listeners`: those of the interface; an index by VRID keeps them few. */
export function findInstance<Instance extends Listener>(
  packet: VrrpPacket,
  listeners: Iterable<Instance>,
): Dispatched<Instance> {
  const named = [...listeners].filter(({ wire }) => wire.vrid === packet.vrid && wire.family === packet.family);
  const meant = named.filter((listener) => isReached(listener, packet));
  // Where one instance alone could be meant, its own checks say what is wrong with a sender that is no peer.
  const [only] = meant;
  if (only !== undefined && meant.length === 1) return { ok: true, instance: only };
  const peered = meant.find(({ wire }) => peerOf(wire, packet.source) !== undefined);
  if (peered !== undefined) return { ok: true, instance: peered };
  // keepalived's socket drops IPv6 packets of the other kind without a word; IPv4 ones are the instance's to refuse.
  const other = named.find(({ wire }) => wire.reach.cast === "multicast" || isMulticast(packet.destination));
  if (meant.length > 0 || other === undefined) return { ok: false, reason: "unknown-vrid" };
  return packet.family === 6 ? { ok: false, reason: "wrong-cast" } : { ok: true, instance: other };
}

function isReached({ wire, address }: Listener, { destination }: VrrpPacket): boolean {
  return destination === (wire.reach.cast === "multicast" ? wire.reach.group : address);
}
