// What an instance does with a packet that is addressed to it: every check in keepalived's order, so that the counters
// mean the same in a mixed pair; the first that fails says why the packet is thrown away. A packet that is thrown away
// changes nothing: sequence numbers and replay marks move with an accepted one only, so that no altered copy of a good
// advert, sent ahead of it, makes the good one a replay.
import { type IpAddress, ipToBytes } from "@baton/domain";
import { equalInConstantTime } from "../hash/hmac.ts";
import type { Advertisement } from "../types.ts";
import {
  addressCountOf,
  advertisementType,
  authTypeOf,
  authTypes,
  decodeMessage,
  intervalOf,
  messageLength,
  passwordOctets,
  receivedAuthType,
  receivedPassword,
  typeOf,
  versionOf,
} from "./advertisement.ts";
import { trailerLength, verifyTrailer } from "./auth-hmac.ts";
import { authenticationHeaderFault, sequenceOf } from "./authentication-header.ts";
import { type ChecksumRule, checksumBetween, internetChecksum } from "./checksum.ts";
import type { AdvertNotice, DiscardReason } from "./discard.ts";
import { requiredTtl } from "./ipv4.ts";
import type { VrrpPacket } from "./packet.ts";
import { isMulticast, peerOf, type WireConfig, type WireState } from "./wire.ts";

/** What the moment adds to the configuration. */
export interface ReceiveFacts {
  /** Microseconds since 1970, for `auth_hmac` alone (SAFETY S20). */
  readonly wallMicros: number;
  /** `owner_ignore_adverts`, and the effective priority is 255. */
  readonly ownerIgnores: boolean;
  /** False: `skip_check_adv_addr`, the instance is a backup, and the sender is the master it knows. */
  readonly checkAddresses: boolean;
}

export type ReceivedAdvertisement =
  | {
      readonly ok: true;
      readonly advert: Advertisement;
      readonly notices: readonly AdvertNotice[];
      readonly state: WireState;
    }
  /** The state is the one that was given. */
  | { readonly ok: false; readonly reason: DiscardReason };

export function receiveAdvertisement(
  packet: VrrpPacket,
  wire: WireConfig,
  state: WireState,
  facts: ReceiveFacts,
): ReceivedAdvertisement {
  const judged: Judged = {
    packet,
    wire,
    facts,
    state,
    message: layOut(packet),
    trailer: undefined,
    advert: undefined,
    notices: [],
  };
  for (const check of checks) {
    const reason = check(judged);
    if (reason !== undefined) return { ok: false, reason };
  }
  return { ok: true, advert: advertOf(judged), notices: judged.notices, state: judged.state };
}

/** A packet under judgement: what the checks so far have found out about it. */
interface Judged {
  readonly packet: VrrpPacket;
  readonly wire: WireConfig;
  readonly facts: ReceiveFacts;
  /** As it will be if the packet is accepted. */
  state: WireState;
  /** The VRRP message alone; shorter than it has to be until check 2 has passed. */
  readonly message: Uint8Array;
  trailer: Uint8Array | undefined;
  /** What the message says, once somebody has asked. */
  advert: Advertisement | undefined;
  readonly notices: AdvertNotice[];
}

function advertOf(judged: Judged): Advertisement {
  judged.advert ??= decodeMessage(judged.message, judged.wire.family, judged.wire.version);
  return judged.advert;
}

type Check = (judged: Judged) => DiscardReason | undefined;

/** The version in the packet decides how long it has to be; whether it is ours comes later. */
function layOut({ bytes, family, messageOffset }: VrrpPacket): Uint8Array {
  const rest = bytes.subarray(messageOffset);
  return rest.subarray(0, messageLength(family, versionOf(rest), addressCountOf(rest)));
}

/** 0. The dispatcher's, in keepalived; here too, so that no caller has to be trusted with it. */
const checkVirtualRouter: Check = ({ packet, wire }) =>
  packet.vrid === wire.vrid && packet.family === wire.family ? undefined : "unknown-vrid";

/** 1. An authentication header exactly where the instance has one. */
const checkAuthenticationHeader: Check = ({ packet, wire }) => {
  const wanted = wire.authentication.type === "ah";
  if (packet.authenticated === wanted) return undefined;
  return wanted ? "ah-missing" : "ah-unexpected";
};

/** The shortest Ethernet frame has room for so much; a VLAN tag takes 4 octets of it. */
const frameRoom = 46;
const tagLength = 4;
/** What fills a short frame is known up to tags only. Only what is shorter than the room can have been filled up. */
const isPadding = (length: number, received: number): boolean =>
  length < frameRoom && received > length && (received - length) % tagLength === frameRoom % tagLength;

/** 2. As long as the address count says, with the trailer of `auth_hmac` or not. */
const checkLength: Check = (judged) => {
  const { packet, message, wire } = judged;
  const expected = packet.messageOffset + messageLength(packet.family, versionOf(message), addressCountOf(message));
  const more = packet.bytes.length - expected;
  if (more === 0) return undefined;
  if (more === trailerLength && wire.authentication.type === "hmac") {
    judged.trailer = packet.bytes.subarray(expected);
    return undefined;
  }
  // Only IPv4 fits into a frame that is filled up.
  if (packet.family === 4 && isPadding(expected, packet.bytes.length)) return undefined;
  return more === trailerLength ? "unexpected-trailer" : "bad-length";
};

/** 3. RFC 9568 section 7.1. Unicast may cross routers; its peers have ranges (17). */
const checkTtl: Check = ({ packet, wire }) =>
  wire.reach.cast === "unicast" || packet.ttl === undefined || packet.ttl === requiredTtl ? undefined : "bad-ttl";

/** 4. RFC 9568 section 7.1. */
const checkVersion: Check = ({ message, wire }) => (versionOf(message) === wire.version ? undefined : "bad-version");

/** 5. `auth_hmac`, before anything in the message is believed. */
const checkTrailer: Check = (judged) => {
  const { message, packet, wire, state, facts, trailer } = judged;
  const { authentication, reach } = wire;
  if (authentication.type !== "hmac") return undefined;
  if (trailer === undefined) {
    if (authentication.mode === "enforce") return "hmac-missing";
    judged.notices.push("unsigned");
    return undefined;
  }
  const peers = reach.cast === "unicast" ? reach.peers.map(({ address }) => address) : undefined;
  if (peers?.includes(packet.source) === false) return "hmac-unknown-peer";
  const context = { version: wire.version, vrid: wire.vrid, source: packet.source };
  const verdict = verifyTrailer(message, trailer, context, authentication, state.hmac, facts.wallMicros, peers);
  if (!verdict.ok) return verdict.reason;
  judged.state = { ...judged.state, hmac: verdict.state };
  if (Math.abs(verdict.skew) > Math.floor(authentication.windowSeconds / 2)) judged.notices.push("clock-skew");
  return undefined;
};

/** 6 and 7. RFC 3768 section 7.1; in RFC 2338 the types have meanings. */
const checkAuthenticationType: Check = ({ message, wire }) => {
  if (wire.version !== 2) return undefined;
  const type = receivedAuthType(message);
  if (type !== authTypes.none && type !== authTypes.pass && type !== authTypes.ah) return "invalid-auth-type";
  return type === authTypeOf(wire.authentication) ? undefined : "auth-type-mismatch";
};

/** 8. The password, or the authentication header. A v2 message over IPv6 has no room for a password. */
const checkAuthentication: Check = (judged) => {
  const { message, packet, wire, state } = judged;
  const { authentication } = wire;
  if (wire.version !== 2 || wire.family !== 4) return undefined;
  if (authentication.type === "pass") {
    const right = equalInConstantTime(receivedPassword(message), passwordOctets(authentication.password));
    return right ? undefined : "auth-failure";
  }
  if (authentication.type !== "ah") return undefined;
  const whole = packet.bytes.subarray(0, packet.messageOffset + message.length);
  const fault = authenticationHeaderFault(whole, packet.headerLength, {
    key: passwordOctets(authentication.password),
    sequence: state.ahSequence,
    unicast: wire.reach.cast === "unicast",
  });
  if (fault === undefined) judged.state = { ...judged.state, ahSequence: sequenceOf(whole, packet.headerLength) };
  return fault;
};

/** 9. v2: RFC 3768 section 7.1: else two groups of one VRID would mix. */
const checkSeconds: Check = ({ message, wire }) =>
  wire.version === 2 && intervalOf(message, 2) !== wire.advertInterval ? "interval-mismatch" : undefined;

/** 10. */
const checkType: Check = ({ message }) => (typeOf(message) === advertisementType ? undefined : "bad-type");

/** 11. As long as the IPv4 header says: more is padding, and never is there less of it than of the message. */
const checkTotalLength: Check = ({ packet, message, trailer }) => {
  const { totalLength, bytes } = packet;
  if (totalLength === undefined || totalLength === bytes.length) return undefined;
  const needed = packet.messageOffset + message.length + (trailer?.length ?? 0);
  const padded = totalLength >= needed && bytes.length <= frameRoom && isPadding(totalLength, bytes.length);
  return padded ? undefined : "bad-total-length";
};

/** 12. v3: a backup follows the master's interval (RFC 9568 section 6.4.2). One of 0 cannot be followed. */
const checkCentiseconds: Check = ({ message, wire, notices }) => {
  if (wire.version !== 3) return undefined;
  const interval = intervalOf(message, 3);
  if (interval === 0) return "zero-interval";
  if (interval !== wire.advertInterval) notices.push("interval-differs");
  return undefined;
};

/** 13. RFC 9568 section 5.2.8, by the rules of `checksum.ts`. Over IPv6 the kernel of a sender sums the trailer too. */
const checkChecksum: Check = (judged) => {
  const { message, packet, wire, trailer } = judged;
  if (wire.family === 6) {
    const whole = packet.bytes.subarray(0, message.length + (trailer?.length ?? 0));
    return checksumBetween(packet, whole) === 0 ? undefined : "bad-checksum";
  }
  if (wire.version === 2) return internetChecksum(message) === 0 ? undefined : "bad-checksum";
  const ours = checksumBy(wire.checksum.send, judged) === 0;
  if (!ours) {
    const notice = otherChecksum(judged);
    if (notice === "bad-checksum") return notice;
    judged.notices.push(notice);
  }
  judged.state = learnChecksum(judged, ours);
  return undefined;
};

function checksumBy(rule: ChecksumRule, { message, packet, wire }: Judged): number {
  if (rule === "message") return internetChecksum(message);
  const destination = rule === "pseudo-header" ? packet.destination : wire.checksum.oldDestination;
  return checksumBetween({ source: packet.source, destination }, message);
}

/** What is right by other rules than ours is heard where keepalived hears it. */
function otherChecksum(judged: Judged): AdvertNotice | "bad-checksum" {
  const { reach, checksum } = judged.wire;
  const unicast = reach.cast === "unicast";
  const right = (rule: ChecksumRule): boolean => checksumBy(rule, judged) === 0;
  switch (checksum.send) {
    case "pseudo-header":
      return unicast && checksum.learn && right("group-pseudo-header") ? "old-checksum" : "bad-checksum";
    case "group-pseudo-header":
      return unicast && right("pseudo-header") ? "other-checksum" : "bad-checksum";
    case "message":
      // With `v3_checksum_as_v2` keepalived takes any checksum, so that both kinds of peers are heard. Here both kinds
      // are heard too, but what is right by neither rule was damaged on the way; except in unicast, where keepalived
      // itself sends wrong ones to all peers but its first (2.4.3).
      if (right("pseudo-header") || right("group-pseudo-header")) return "other-checksum";
      return unicast ? "wrong-checksum" : "bad-checksum";
  }
}

/** Each unicast peer is answered by the rule that it was heard to use last. */
function learnChecksum({ state, packet, wire }: Judged, ours: boolean): WireState {
  const { source } = packet;
  if (wire.checksum.send !== "pseudo-header" || peerOf(wire, source) === undefined) return state;
  if (ours !== state.oldChecksumPeers.has(source)) return state;
  const others = [...state.oldChecksumPeers].filter((peer) => peer !== source && peerOf(wire, peer) !== undefined);
  return { ...state, oldChecksumPeers: new Set(ours ? others : [...others, source]) };
}

/** 14. */
const checkDestination: Check = ({ packet: { destination }, wire: { reach } }) => {
  const ours = reach.cast === "multicast" ? destination === reach.group : !isMulticast(destination);
  return ours ? undefined : "bad-destination";
};

/** 15. `owner_ignore_adverts`. */
const checkOwner: Check = ({ facts }) => (facts.ownerIgnores ? "owner-ignores" : undefined);

/** 16. Other addresses than ours are told and accepted. From here on keepalived counts the advert as received. */
const noticeAddresses: Check = (judged) => {
  const { packet, message, wire, facts, notices } = judged;
  if (wire.family === 6 && wire.reach.cast === "multicast" && !isLinkLocal(packet.source)) {
    notices.push("source-not-link-local");
  }
  if (addressCountOf(message) !== wire.addresses.length) notices.push("address-count-mismatch");
  else if (facts.checkAddresses) {
    const theirs = new Set(advertOf(judged).addresses);
    if (!wire.addresses.every((address) => theirs.has(address))) notices.push("address-list-mismatch");
  }
  return undefined;
};

/** 17. `check_unicast_src`: the sender is a peer, as near as the peer may be. */
const checkPeer: Check = ({ packet, wire }) => {
  if (wire.reach.cast !== "unicast" || !wire.reach.checkSource) return undefined;
  const peer = peerOf(wire, packet.source);
  if (peer === undefined) return "unknown-peer";
  const near = packet.ttl === undefined || (packet.ttl >= peer.ttlMin && packet.ttl <= peer.ttlMax);
  return near ? undefined : "peer-ttl";
};

const checks: readonly Check[] = [
  checkVirtualRouter,
  checkAuthenticationHeader,
  checkLength,
  checkTtl,
  checkVersion,
  checkTrailer,
  checkAuthenticationType,
  checkAuthentication,
  checkSeconds,
  checkType,
  checkTotalLength,
  checkCentiseconds,
  checkChecksum,
  checkDestination,
  checkOwner,
  noticeAddresses,
  checkPeer,
];

/** fe80::/10. */
const isLinkLocal = (address: IpAddress): boolean => {
  const [first = 0, second = 0] = ipToBytes(address);
  return first === 0xfe && second >> 6 === 2;
};
