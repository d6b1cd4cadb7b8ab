// A batch of commands to IPVS: one that cannot be written down (a name too long, a mark of 0) keeps no other from being
// carried out.
import { messageOf } from "@baton/domain";
import type { Operation } from "@baton/ipvs";
import type { ChangeResult } from "./api.ts";
import { encodeOperation } from "./ipvs-request.ts";
import type { NetlinkRequest } from "./netlink-message.ts";

/** A result for each, in order: EINVAL for what `send` never sees. */
export function changeEach(
  family: number,
  batch: readonly Operation[],
  send: (requests: readonly NetlinkRequest[]) => readonly ChangeResult[],
): ChangeResult[] {
  const encoded = batch.map((operation) => encodeOrRefuse(family, operation));
  const sent = encoded.filter((each) => "body" in each);
  const results = (sent.length === 0 ? [] : send(sent)).values();
  return encoded.map((each) => ("body" in each ? (results.next().value ?? unanswered) : each));
}

const unanswered: ChangeResult = { ok: false, code: "EPROTO", message: "" };

function encodeOrRefuse(family: number, operation: Operation): NetlinkRequest | ChangeResult {
  try {
    return encodeOperation(family, operation);
  } catch (error) {
    return { ok: false, code: "EINVAL", message: messageOf(error) };
  }
}
