// Generic netlink (<linux/genetlink.h>): a family of commands behind a number that the kernel gives it when its module is
// loaded, and that is asked for by name. Pure: bytes in, values out.
import {
  attribute,
  concatBytes,
  cString,
  type NetlinkMessage,
  type NetlinkRequest,
  readAttributes,
  readUint16,
} from "./netlink-message.ts";

export const NETLINK_GENERIC = 16;

const GENL_ID_CTRL = 0x10;
const CTRL_CMD_NEWFAMILY = 1;
const CTRL_CMD_GETFAMILY = 3;
const CTRL_ATTR_FAMILY_ID = 1;
const CTRL_ATTR_FAMILY_NAME = 2;
const HEADER_BYTES = 4; // command, version, two of nothing

export interface GenericReply {
  readonly command: number;
  readonly attributes: ReadonlyMap<number, Uint8Array>;
}

/** Undefined: of another family, or cut short. */
export function readGeneric(message: NetlinkMessage, family: number): GenericReply | undefined {
  if (message.type !== family || message.body.length < HEADER_BYTES) return undefined;
  return { command: message.body[0] ?? 0, attributes: readAttributes(message.body, HEADER_BYTES) };
}

/** Asks which number a family has. The kernel loads its module for that, where there is one. */
export const familyRequest = (name: string): NetlinkRequest => ({
  type: GENL_ID_CTRL,
  flags: 0,
  body: concatBytes(Uint8Array.of(CTRL_CMD_GETFAMILY, 1, 0, 0), attribute(CTRL_ATTR_FAMILY_NAME, cString(name))),
});

export function decodeFamily(message: NetlinkMessage): number | undefined {
  const reply = readGeneric(message, GENL_ID_CTRL);
  return reply?.command === CTRL_CMD_NEWFAMILY ? readUint16(reply.attributes.get(CTRL_ATTR_FAMILY_ID)) : undefined;
}
