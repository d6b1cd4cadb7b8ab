// PING_CHECK: one echo is answered. By a raw socket: for ICMP's own kind of datagram socket a setting of the whole machine
// (ping_group_range) would have to be changed. Each attempt has an identity of its own, and 8 octets that nobody can guess.
import { randomBytes, randomInt } from "node:crypto";
import { ipFamily } from "@baton/domain";
import type { ProbeOutcome } from "@baton/health";
import type { PingCheckerConfig } from "@baton/keepalived-conf";
import { openConnectedSocket } from "@baton/linux";
import { runAttempt } from "./attempt.ts";
import { originOf } from "./connection.ts";
import { encodeEcho, isReplyTo } from "./icmp-echo.ts";

const payloadBytes = 128;
const nonceBytes = 8;
/** IPv4's longest header, and ours. */
const bufferBytes = 60 + 8 + payloadBytes + 1;
const filler = new TextEncoder().encode("baton check - ".repeat(10)).subarray(0, payloadBytes);

export function probePing({ connection }: PingCheckerConfig, signal: AbortSignal): Promise<ProbeOutcome> {
  return runAttempt(signal, (attempt) => {
    const family = ipFamily(connection.address);
    const payload = filler.slice();
    payload.set(randomBytes(nonceBytes));
    const echo = { identifier: randomInt(0x1_0000), sequence: randomInt(0x1_0000), payload };
    const socket = openConnectedSocket({
      protocol: "icmp",
      peer: connection.address,
      port: 0,
      origin: originOf(connection),
      bufferBytes,
      onDatagram: (packet) => {
        if (isReplyTo(family, packet, echo)) attempt.succeed();
      },
      onError: (error) => attempt.failBy(error),
    });
    attempt.release(() => socket.close());
    attempt.allow(connection.timeout);
    socket.send(encodeEcho(family, echo));
  });
}
