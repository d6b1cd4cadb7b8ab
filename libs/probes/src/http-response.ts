// An answer to GET as it comes, octet by octet: of the header the status and Content-Length, of the body no more than what
// is asked of it. Nothing is decoded: a chunked body is taken as it is sent, as keepalived takes it.
import { createHash } from "node:crypto";
import { keepOctets } from "./octets.ts";

export const limits = {
  headerBytesMax: 32 * 1024,
  /** Kept, where a pattern is searched. */
  patternBytesMax: 1024 * 1024,
  /** Read at all. */
  bodyBytesMax: 64 * 1024 * 1024,
} as const;

export interface ResponseReader {
  /** undefined: go on. */
  push(chunk: Buffer): "too-long" | undefined;
  /** The header has come whole. */
  hasHeader(): boolean;
  /** 0: there is none. */
  status(): number;
  /** MD5 of the body up to Content-Length, in lower-case hexadecimal digits. */
  digest(): string;
  /** What has come of the header before there is a body; afterwards the start of the body. */
  excerpt(): string;
  /** As far as it is kept. */
  body(): Buffer;
}

const headerEnd = "\r\n\r\n";
/** Enough for any excerpt. */
const excerptBytes = 512;

export function readResponse(wanted: { readonly digest: boolean; readonly body: boolean }): ResponseReader {
  // Not where nobody asks for it: a machine may forbid MD5.
  const hash = wanted.digest ? createHash("md5") : undefined;
  const header = keepOctets(limits.headerBytesMax);
  const kept = keepOctets(wanted.body ? limits.patternBytesMax : excerptBytes);
  let headText: string | undefined;
  let contentLength = Number.POSITIVE_INFINITY;
  let bodyBytes = 0;

  const pushBody = (chunk: Buffer): "too-long" | undefined => {
    if (bodyBytes < contentLength) hash?.update(chunk.subarray(0, contentLength - bodyBytes));
    bodyBytes += chunk.length;
    kept.push(chunk);
    return bodyBytes > limits.bodyBytesMax ? "too-long" : undefined;
  };

  return {
    push: (chunk) => {
      if (headText !== undefined) return pushBody(chunk);
      const before = header.bytes().length;
      header.push(chunk);
      // The end may lie across two chunks.
      const end = header.bytes().indexOf(headerEnd, Math.max(0, before - headerEnd.length));
      if (end < 0) return before + chunk.length > limits.headerBytesMax ? "too-long" : undefined;
      const bodyStart = end + headerEnd.length;
      headText = header.bytes().toString("latin1", 0, bodyStart);
      contentLength = contentLengthOf(headText);
      const rest = chunk.subarray(bodyStart - before);
      return rest.length === 0 ? undefined : pushBody(rest);
    },
    hasHeader: () => headText !== undefined,
    status: () => (headText === undefined ? 0 : statusOf(headText)),
    digest: () => hash?.digest("hex") ?? "",
    excerpt: () => {
      const from = kept.bytes().length > 0 ? kept.bytes() : header.bytes();
      return from.toString("utf8", 0, excerptBytes);
    },
    body: () => kept.bytes(),
  };
}

/** Behind the first space: three digits and another space. */
const statusOf = (header: string): number => Number(/^[^ \r]* (\d{3}) /.exec(header)?.[1] ?? 0);

/** Infinite where there is none, or none that makes sense. */
function contentLengthOf(header: string): number {
  const text = /\r\ncontent-length:[ \t]*(\d{1,15})[ \t]*\r\n/i.exec(header)?.[1];
  return text === undefined ? Number.POSITIVE_INFINITY : Number(text);
}
