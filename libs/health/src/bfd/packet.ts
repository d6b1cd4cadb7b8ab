// The BFD control packet (RFC 5880 section 4.1), without authentication. Who is from the network is hostile: a packet is
// looked at in the order of section 6.8.6, and the first thing that is wrong is the reason why it is dropped.
import { type Micros, micros } from "@baton/domain";

export const controlBytes = 24;

/** Section 4.1; the numbers on the wire are the places in this list. */
export const bfdStates = ["admin-down", "down", "init", "up"] as const;
export type BfdState = (typeof bfdStates)[number];

/** Why the session went down (section 4.1, Diag). */
export const bfdDiagnostics = [
  "none",
  "detection-time-expired",
  "echo-failed",
  "neighbor-signaled-down",
  "forwarding-plane-reset",
  "path-down",
  "concatenated-path-down",
  "administratively-down",
  "reverse-concatenated-path-down",
] as const;
export type BfdDiagnostic = (typeof bfdDiagnostics)[number];

export interface BfdPacket {
  readonly diagnostic: BfdDiagnostic;
  readonly state: BfdState;
  readonly poll: boolean;
  readonly final: boolean;
  /** The sender wants no packets at intervals while the session is up (section 6.6). */
  readonly demand: boolean;
  readonly multiplier: number;
  readonly myDiscriminator: number;
  readonly yourDiscriminator: number;
  readonly desiredMinTransmit: Micros;
  /** 0: the sender wants no packets at intervals at all. */
  readonly requiredMinReceive: Micros;
}

export type BfdDiscard =
  | "too-short"
  | "version"
  | "length"
  | "multiplier"
  | "multipoint"
  | "no-discriminator"
  | "not-for-a-session"
  | "authentication";

const version = 1;
const flag = { poll: 0x20, final: 0x10, authentication: 0x04, demand: 0x02, multipoint: 0x01 } as const;

export function encodeBfd(packet: BfdPacket): Uint8Array {
  const bytes = new Uint8Array(controlBytes);
  const view = new DataView(bytes.buffer);
  bytes[0] = (version << 5) | bfdDiagnostics.indexOf(packet.diagnostic);
  bytes[1] =
    (bfdStates.indexOf(packet.state) << 6) |
    (packet.poll ? flag.poll : 0) |
    (packet.final ? flag.final : 0) |
    (packet.demand ? flag.demand : 0);
  bytes[2] = packet.multiplier;
  bytes[3] = controlBytes;
  view.setUint32(4, packet.myDiscriminator);
  view.setUint32(8, packet.yourDiscriminator);
  view.setUint32(12, packet.desiredMinTransmit);
  view.setUint32(16, packet.requiredMinReceive);
  return bytes;
}

/** The UDP payload: a packet, or why it is none. */
export function decodeBfd(bytes: Uint8Array): BfdPacket | { readonly discard: BfdDiscard } {
  if (bytes.length < controlBytes) return { discard: "too-short" };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const [first, second, multiplier, length] = [view.getUint8(0), view.getUint8(1), view.getUint8(2), view.getUint8(3)];
  if (first >> 5 !== version) return { discard: "version" };
  const authenticated = (second & flag.authentication) !== 0;
  if (length < (authenticated ? controlBytes + 2 : controlBytes) || length > bytes.length) return { discard: "length" };
  if (multiplier === 0) return { discard: "multiplier" };
  if ((second & flag.multipoint) !== 0) return { discard: "multipoint" };
  const [myDiscriminator, yourDiscriminator] = [view.getUint32(4), view.getUint32(8)];
  if (myDiscriminator === 0) return { discard: "no-discriminator" };
  const state = bfdStates[second >> 6] ?? "admin-down";
  if (yourDiscriminator === 0 && state !== "down" && state !== "admin-down") return { discard: "not-for-a-session" };
  if (authenticated) return { discard: "authentication" };
  return {
    // A diagnostic of a later version says nothing to us.
    diagnostic: bfdDiagnostics[first & 0x1f] ?? "none",
    state,
    poll: (second & flag.poll) !== 0,
    final: (second & flag.final) !== 0,
    demand: (second & flag.demand) !== 0,
    multiplier,
    myDiscriminator,
    yourDiscriminator,
    desiredMinTransmit: micros(view.getUint32(12)),
    requiredMinReceive: micros(view.getUint32(16)),
  };
}
