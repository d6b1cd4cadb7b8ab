// UDP_CHECK: a datagram meets no ICMP error; or, with `require_reply`, it is answered, and as it should be.
import type { ProbeOutcome } from "@baton/health";
import type { UdpCheckerConfig, UdpReply } from "@baton/keepalived-conf";
import { openConnectedSocket } from "@baton/linux";
import { printable, runAttempt } from "./attempt.ts";
import { originOf } from "./connection.ts";

const filler = new TextEncoder().encode("baton check - baton check - bato");

export function probeUdp({ connection, payload, reply }: UdpCheckerConfig, signal: AbortSignal): Promise<ProbeOutcome> {
  return runAttempt(signal, (attempt) => {
    const socket = openConnectedSocket({
      protocol: "udp",
      peer: connection.address,
      port: connection.port,
      origin: originOf(connection),
      // One more tells what is too long.
      bufferBytes: (reply?.maxLength ?? 0) + 1,
      onDatagram: (bytes) => {
        if (reply === undefined || matchesReply(bytes, reply)) attempt.succeed();
        else attempt.fail("wrong-reply", { excerpt: printable(Buffer.from(bytes).toString("latin1")) });
      },
      onError: (error) => attempt.failBy(error),
    });
    attempt.release(() => socket.close());
    // Without a reply to wait for no news is good news.
    attempt.allow(connection.timeout, reply === undefined ? () => attempt.succeed() : undefined);
    socket.send(payload === undefined ? filler : Uint8Array.from(payload));
  });
}

/** Without a pattern whatever comes will do. Octets beyond the shorter of both are not compared. */
export function matchesReply(bytes: Uint8Array, { minLength, maxLength, pattern }: UdpReply): boolean {
  if (pattern === undefined) return true;
  if (bytes.length < minLength || bytes.length > maxLength) return false;
  const { octets, mask } = pattern;
  return octets.slice(0, bytes.length).every((octet, at) => ((octet ^ (bytes[at] ?? 0)) & (mask[at] ?? 0xff)) === 0);
}
