// W3C Trace Context (https://www.w3.org/TR/trace-context/) as plain text: `00-<trace id>-<span id>-<flags>`.
// Pure except for SHA-256: ids are made from random bytes that the caller provides.
import { createHash } from "node:crypto";
import { assert, type IpAddress, type Vrid } from "@baton/domain";

export interface TraceContext {
  /** 32 lower-case hex digits, not all zero. */
  readonly traceId: string;
  /** 16 lower-case hex digits, not all zero. */
  readonly spanId: string;
  readonly sampled: boolean;
}

/** How many random bytes `rootContext` and `childContext` need. */
export const randomBytesNeeded = { root: 24, child: 8 } as const;

const pattern = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

/** Undefined when `text` is no valid traceparent; versions above 00 are read as far as this version goes (section 4). */
export function parseTraceparent(text: string): TraceContext | undefined {
  const match = pattern.exec(text);
  if (match === null) return undefined;
  const [, version, traceId, spanId, flags, rest] = match;
  if (version === undefined || traceId === undefined || spanId === undefined || flags === undefined) return undefined;
  if (version === "ff" || (version === "00" && rest !== undefined)) return undefined;
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined;
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

export const formatTraceparent = (context: TraceContext): string =>
  `00-${context.traceId}-${context.spanId}-${context.sampled ? "01" : "00"}`;

/** A new trace. */
export function rootContext(random: Uint8Array): TraceContext {
  assert(random.length >= randomBytesNeeded.root, "a root context takes 24 random bytes");
  return { traceId: idFrom(random, 0, 16), spanId: idFrom(random, 16, 24), sampled: true };
}

/** A new span of the parent's trace. */
export function childContext(parent: TraceContext, random: Uint8Array): TraceContext {
  assert(random.length >= randomBytesNeeded.child, "a span id takes 8 random bytes");
  return { traceId: parent.traceId, spanId: idFrom(random, 0, 8), sampled: parent.sampled };
}

/**
 * The context that both routers derive from one advertisement, without a byte of it on the wire: sender and receiver
 * link their spans to it, so that the two traces of a failover can be joined. The IP identification makes it unique
 * within the sender's last 65,535 adverts.
 */
export function advertContext(vrid: Vrid | number, sender: IpAddress | string, ipId: number): TraceContext {
  const digest = createHash("sha256").update(`baton-advert\0${vrid}\0${sender}\0${ipId}`).digest();
  return { traceId: idFrom(digest, 0, 16), spanId: idFrom(digest, 16, 24), sampled: true };
}

function idFrom(bytes: Uint8Array, from: number, to: number): string {
  const slice = Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from);
  const hex = slice.toString("hex");
  // An all-zero id is invalid; a source of zeros is a broken source, but a trace is not worth a crash.
  return /^0+$/.test(hex) ? `${hex.slice(0, -1)}1` : hex;
}
