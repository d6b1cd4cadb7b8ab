// DNS_CHECK: a question over UDP is answered without an error. Answers to others are passed over, so that nobody who does
// not see the question can answer for the server.
import { randomInt } from "node:crypto";
import type { ProbeOutcome } from "@baton/health";
import type { DnsCheckerConfig } from "@baton/keepalived-conf";
import { openConnectedSocket } from "@baton/linux";
import { runAttempt } from "./attempt.ts";
import { originOf } from "./connection.ts";
import { encodeQuery, rcodeName, readRcode } from "./dns-message.ts";

/** The header is all that is read. */
const bufferBytes = 512;

export function probeDns(
  { connection, name, queryType }: DnsCheckerConfig,
  signal: AbortSignal,
): Promise<ProbeOutcome> {
  return runAttempt(signal, (attempt) => {
    const id = randomInt(0x1_0000);
    const query = encodeQuery(id, name, queryType);
    // keepalived asks all the same, by a query that is malformed: no server answers that without an error.
    if (query === undefined) return attempt.fail("wrong-reply", { detail: `no name that can be asked for: ${name}` });
    const socket = openConnectedSocket({
      protocol: "udp",
      peer: connection.address,
      port: connection.port,
      origin: originOf(connection),
      bufferBytes,
      onDatagram: (bytes) => {
        const rcode = readRcode(bytes, id);
        if (rcode === 0) attempt.succeed();
        else if (rcode !== undefined) attempt.fail("wrong-reply", { status: rcode, detail: rcodeName(rcode) });
      },
      onError: (error) => attempt.failBy(error),
    });
    attempt.release(() => socket.close());
    attempt.allow(connection.timeout);
    socket.send(query);
  });
}
