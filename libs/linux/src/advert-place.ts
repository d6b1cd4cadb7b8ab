// What makes a raw socket one for adverts of a place: bound to its address or in its group, with all that has to come
// beside an IPv6 packet, and with a filter for what is expected there.
import { type IpAddress, ipToBytes } from "@baton/domain";
import { buildAdvertFilter } from "./advert-filter.ts";
import type { AdvertDatagram, AdvertSocketPlace, ExpectedAdvert } from "./api.ts";
import { VrrpSocketError } from "./error.ts";
import { errnoName, int32, lastErrno, libc } from "./libc.ts";
import { attachProgram } from "./packet-program.ts";
import type { Datagram } from "./receive-queue.ts";
import { socketAddress } from "./socket-address.ts";

const SOL_SOCKET = 1;
const SO_PRIORITY = 12;
const SO_RCVBUFFORCE = 33;
const SO_MEMINFO = 55;
const SO_BINDTOIFINDEX = 62;
const TC_PRIO_CONTROL = 7; // <linux/pkt_sched.h>; also what a VLAN's egress map sees

/** <linux/sock_diag.h>: nine figures, the last of which counts drops. */
const MEMINFO_VARS = 9;
const MEMINFO_DROPS = 8;

const SOL_IP = 0;
const IP_HDRINCL = 3;
const IP_FREEBIND = 15;
const IP_MULTICAST_IF = 32;
const IP_MULTICAST_LOOP = 34;
const IP_ADD_MEMBERSHIP = 35;
const IP_MULTICAST_ALL = 49;

const SOL_IPV6 = 41;
const IPV6_CHECKSUM = 7;
const IPV6_MULTICAST_IF = 17;
const IPV6_MULTICAST_HOPS = 18;
const IPV6_MULTICAST_LOOP = 19;
const IPV6_ADD_MEMBERSHIP = 20;
const IPV6_MULTICAST_ALL = 29;
const IPV6_RECVPKTINFO = 49;
const IPV6_RECVHOPLIMIT = 51;
const IPV6_TCLASS = 67;
const IPV6_FREEBIND = 78;
/** Class of service "internetwork control", as the IPv4 header of an advert says it. */
const INTERNETWORK_CONTROL = 0xc0;

/** `bufferBytes`: what may wait; the kernel doubles it. Throws VrrpSocketError. */
export function bindToPlace(fd: number, { family, address, ifindex }: AdvertSocketPlace, bufferBytes: number): void {
  const set = setterOf(fd);
  // By index, not by name: the name may mean another interface by now.
  if (ifindex !== undefined) set(SOL_SOCKET, SO_BINDTOIFINDEX, int32(ifindex));
  set(SOL_SOCKET, SO_PRIORITY, int32(TC_PRIO_CONTROL));
  set(SOL_SOCKET, SO_RCVBUFFORCE, int32(bufferBytes));
  const group = isMulticast(address) ? ifindex : undefined;
  if (family === 4) configureIpv4(set, address, group);
  else configureIpv6(set, address, group);
  // Nothing but what was sent there: two sockets of one interface never both get a packet.
  const bound = socketAddress(address, { ifindex });
  if (libc.bind(fd, bound, bound.length) < 0) throw failure(`bind to ${address}`);
}

/** From now on only what the filter passes gets in; what is in already stays. Throws VrrpSocketError. */
export function attachFilter(
  fd: number,
  { family, protocol, address }: AdvertSocketPlace,
  expected: Iterable<ExpectedAdvert>,
  pass: "expected" | "others",
): void {
  // Unicast may cross routers, each of which takes one from the TTL.
  const program = buildAdvertFilter({ family, protocol, fromLink: isMulticast(address), expected, pass });
  const result = attachProgram(fd, program);
  // Named here so that it is not collected before.
  if (result < 0) throw failure(`attach a filter of ${program.length} bytes`);
}

/** Says at each call how many packets the kernel has thrown away since the last, because they found no room. */
export function countMissed(fd: number): () => number {
  const last = { drops: 0 };
  return () => {
    const info = new Uint32Array(MEMINFO_VARS);
    const bytes = new Uint8Array(info.buffer);
    if (libc.getsockopt(fd, SOL_SOCKET, SO_MEMINFO, bytes, int32(bytes.length)) < 0) return 0;
    const drops = info[MEMINFO_DROPS] ?? 0;
    const missed = (drops - last.drops) >>> 0;
    last.drops = drops;
    return missed;
  };
}

type SetOption = (level: number, option: number, value: Uint8Array) => void;

const setterOf =
  (fd: number): SetOption =>
  (level, option, value) => {
    if (libc.setsockopt(fd, level, option, value, value.length) < 0) throw failure(`setsockopt ${level}/${option}`);
  };

function configureIpv4(set: SetOption, address: IpAddress, groupOn: number | undefined): void {
  // We write the header: TTL, class of service and identification are the codec's.
  set(SOL_IP, IP_HDRINCL, int32(1));
  set(SOL_IP, IP_MULTICAST_ALL, int32(0)); // not the groups that other sockets of the machine have joined
  if (groupOn === undefined) return set(SOL_IP, IP_FREEBIND, int32(1));
  set(SOL_IP, IP_ADD_MEMBERSHIP, multicastRequest(ipToBytes(address), groupOn));
  set(SOL_IP, IP_MULTICAST_IF, multicastRequest(new Uint8Array(4), groupOn));
  set(SOL_IP, IP_MULTICAST_LOOP, int32(0));
}

function configureIpv6(set: SetOption, address: IpAddress, groupOn: number | undefined): void {
  // The kernel neither writes nor verifies the checksum: it would drop wrong ones before anybody could count them.
  set(SOL_IPV6, IPV6_CHECKSUM, int32(-1));
  set(SOL_IPV6, IPV6_RECVPKTINFO, int32(1));
  set(SOL_IPV6, IPV6_RECVHOPLIMIT, int32(1));
  set(SOL_IPV6, IPV6_TCLASS, int32(INTERNETWORK_CONTROL));
  set(SOL_IPV6, IPV6_MULTICAST_ALL, int32(0));
  // A source address may come later than the socket, or be a virtual one.
  set(SOL_IPV6, IPV6_FREEBIND, int32(1));
  if (groupOn === undefined) return;
  set(SOL_IPV6, IPV6_ADD_MEMBERSHIP, Uint8Array.from([...ipToBytes(address), ...int32(groupOn)]));
  set(SOL_IPV6, IPV6_MULTICAST_IF, int32(groupOn));
  set(SOL_IPV6, IPV6_MULTICAST_HOPS, int32(255));
  set(SOL_IPV6, IPV6_MULTICAST_LOOP, int32(0));
}

/** struct ip_mreqn: group, local address (any), interface index. */
const multicastRequest = (group: Uint8Array, ifindex: number): Uint8Array =>
  Uint8Array.from([...group, 0, 0, 0, 0, ...int32(ifindex)]);

export const isMulticast = (address: IpAddress): boolean => {
  const bytes = ipToBytes(address);
  return bytes.length === 4 ? (bytes[0] ?? 0) >> 4 === 0xe : bytes[0] === 0xff;
};

export function toAdvertDatagram(datagram: Datagram, { family }: AdvertSocketPlace): AdvertDatagram[] {
  const { bytes, truncated, receivedAt, source, destination, hopLimit } = datagram;
  if (family === 4) return [{ family, bytes, truncated, receivedAt }];
  // The kernel always says both; without them there is nothing to judge by.
  if (source === undefined || destination === undefined) return [];
  return [{ family, bytes, source, destination, hopLimit, truncated, receivedAt }];
}

export function failure(call: string): VrrpSocketError {
  const errno = lastErrno();
  return new VrrpSocketError(errnoName(errno), call, libc.strerror(errno));
}
