// Rules of policy routing on the wire of rtnetlink (linux/fib_rules.h). Pure.
import { ipToBytes, unspecifiedIp } from "@baton/domain";
import {
  attribute,
  concatBytes,
  cString,
  type NetlinkMessage,
  type NetlinkRequest,
  NLM_F_CREATE,
  NLM_F_EXCL,
  readAttributes,
  readText,
  readUint32,
  uint32,
  viewOf,
} from "./netlink-message.ts";
import { bigEndian64, familyNumber, familyOf, readAddress } from "./route-message.ts";
import type { Prefix, Range, RuleSpec } from "./routing.ts";

export const RTM_GETRULE = 34;
const RTM_NEWRULE = 32;
const RTM_DELRULE = 33;
const RULE_BYTES = 12;
const FIB_RULE_INVERT = 2;
const NONE = 0xffffffff;

const FRA_DST = 1;
const FRA_SRC = 2;
const FRA_IFNAME = 3;
const FRA_GOTO = 4;
const FRA_PRIORITY = 6;
const FRA_FWMARK = 10;
const FRA_FLOW = 11;
const FRA_TUN_ID = 12;
const FRA_SUPPRESS_IFGROUP = 13;
const FRA_SUPPRESS_PREFIXLEN = 14;
const FRA_TABLE = 15;
const FRA_FWMASK = 16;
const FRA_OIFNAME = 17;
const FRA_L3MDEV = 19;
const FRA_UID_RANGE = 20;
const FRA_PROTOCOL = 21;
const FRA_IP_PROTO = 22;
const FRA_SPORT_RANGE = 23;
const FRA_DPORT_RANGE = 24;

export function ruleDumpBody(family: 4 | 6): Uint8Array {
  const body = new Uint8Array(RULE_BYTES);
  body[0] = familyNumber(family);
  return body;
}

export interface RuleOnWire {
  readonly type: "rule-set" | "rule-removed";
  readonly rule: RuleSpec;
}

export function decodeRuleEvent(message: NetlinkMessage): RuleOnWire | undefined {
  if (message.type !== RTM_NEWRULE && message.type !== RTM_DELRULE) return undefined;
  const { body } = message;
  const family = familyOf(body[0]);
  if (body.length < RULE_BYTES || family === undefined) return undefined;
  const attributes = readAttributes(body, RULE_BYTES);
  const number = (type: number): number | undefined => readUint32(attributes.get(type));
  const prefixOf = (type: number, length: number): Prefix | undefined =>
    length === 0 ? undefined : { address: readAddress(attributes.get(type), family) ?? unspecifiedIp(family), length };
  const mask = number(FRA_FWMASK);
  const tunnel = attributes.get(FRA_TUN_ID);
  const suppress = number(FRA_SUPPRESS_PREFIXLEN);
  const group = number(FRA_SUPPRESS_IFGROUP);
  const action = body[7] ?? 0;
  const rule: RuleSpec = {
    family,
    invert: ((readUint32(body, 8) ?? 0) & FIB_RULE_INVERT) !== 0,
    from: prefixOf(FRA_SRC, body[2] ?? 0),
    to: prefixOf(FRA_DST, body[1] ?? 0),
    preference: number(FRA_PRIORITY) ?? 0,
    tos: body[3] ?? 0,
    mark: mask === undefined ? undefined : { value: number(FRA_FWMARK) ?? 0, mask },
    inputInterface: readText(attributes.get(FRA_IFNAME)),
    outputInterface: readText(attributes.get(FRA_OIFNAME)),
    tunnelId: tunnel?.length === 8 ? viewOf(tunnel).getBigUint64(0) : 0n,
    users: readRange(attributes.get(FRA_UID_RANGE), 4),
    ipProtocol: attributes.get(FRA_IP_PROTO)?.[0] ?? 0,
    sourcePorts: readRange(attributes.get(FRA_SPORT_RANGE), 2),
    destinationPorts: readRange(attributes.get(FRA_DPORT_RANGE), 2),
    action,
    table: action === 1 ? (number(FRA_TABLE) ?? body[4] ?? 0) : 0,
    l3mdev: (attributes.get(FRA_L3MDEV)?.[0] ?? 0) !== 0,
    goto: number(FRA_GOTO) ?? 0,
    realms: number(FRA_FLOW) ?? 0,
    suppressPrefixLength: suppress === NONE ? undefined : suppress,
    suppressGroup: group === NONE ? undefined : group,
    protocol: attributes.get(FRA_PROTOCOL)?.[0] ?? 0,
  };
  return { type: message.type === RTM_NEWRULE ? "rule-set" : "rule-removed", rule };
}

function readRange(bytes: Uint8Array | undefined, width: 2 | 4): Range | undefined {
  if (bytes === undefined || bytes.length < 2 * width) return undefined;
  const view = viewOf(bytes);
  return width === 2
    ? { first: view.getUint16(0, true), last: view.getUint16(2, true) }
    : { first: view.getUint32(0, true), last: view.getUint32(4, true) };
}

export const encodeRuleAddition = (rule: RuleSpec): NetlinkRequest => ({
  type: RTM_NEWRULE,
  flags: NLM_F_CREATE | NLM_F_EXCL,
  body: encodeRule(rule),
});

/** Everything that it says: the kernel deletes the first that fits. */
export const encodeRuleRemoval = (rule: RuleSpec): NetlinkRequest => ({
  type: RTM_DELRULE,
  flags: 0,
  body: encodeRule(rule),
});

/** struct fib_rule_hdr and attributes. */
function encodeRule(rule: RuleSpec): Uint8Array {
  const { from, to, mark, table } = rule;
  const head = new Uint8Array(RULE_BYTES);
  head.set([familyNumber(rule.family), to?.length ?? 0, from?.length ?? 0, rule.tos, table < 256 ? table : 0]);
  head.set([rule.action], 7);
  head.set(uint32(rule.invert ? FIB_RULE_INVERT : 0), 8);
  const numbers: readonly (readonly [number, number | undefined])[] = [
    [FRA_TABLE, table < 256 ? undefined : table],
    [FRA_PRIORITY, rule.preference],
    [FRA_FWMARK, mark?.value],
    [FRA_FWMASK, mark?.mask],
    [FRA_FLOW, rule.realms === 0 ? undefined : rule.realms],
    [FRA_SUPPRESS_PREFIXLEN, rule.suppressPrefixLength],
    [FRA_SUPPRESS_IFGROUP, rule.suppressGroup],
    [FRA_GOTO, rule.action === 2 ? rule.goto : undefined],
  ];
  const octets: readonly (readonly [number, number])[] = [
    [FRA_L3MDEV, rule.l3mdev ? 1 : 0],
    [FRA_PROTOCOL, rule.protocol],
    [FRA_IP_PROTO, rule.ipProtocol],
  ];
  const texts: readonly (readonly [number, string | undefined])[] = [
    [FRA_IFNAME, rule.inputInterface],
    [FRA_OIFNAME, rule.outputInterface],
  ];
  return concatBytes(
    head,
    ...(from === undefined ? [] : [attribute(FRA_SRC, ipToBytes(from.address))]),
    ...(to === undefined ? [] : [attribute(FRA_DST, ipToBytes(to.address))]),
    ...numbers.flatMap(([type, value]) => (value === undefined ? [] : [attribute(type, uint32(value))])),
    ...octets.flatMap(([type, value]) => (value === 0 ? [] : [attribute(type, Uint8Array.of(value))])),
    ...texts.flatMap(([type, value]) => (value === undefined ? [] : [attribute(type, cString(value))])),
    ...(rule.tunnelId === 0n ? [] : [attribute(FRA_TUN_ID, bigEndian64(rule.tunnelId))]),
    ...(rule.users === undefined ? [] : [attribute(FRA_UID_RANGE, uint32(rule.users.first, rule.users.last))]),
    ...(rule.sourcePorts === undefined ? [] : [attribute(FRA_SPORT_RANGE, ports(rule.sourcePorts))]),
    ...(rule.destinationPorts === undefined ? [] : [attribute(FRA_DPORT_RANGE, ports(rule.destinationPorts))]),
  );
}

const ports = ({ first, last }: Range): Uint8Array => uint32(first + last * 0x10000);
