// An answer to GET as it comes, octet by octet: of the header the status and Content-Length, of the body no more than what
// is asked of it. Nothing is decoded: a chunked body is taken as it is sent, as keepalived takes it.
import { createHash } from "node:crypto";

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
  const keptMax = wanted.body ? limits.patternBytesMax : excerptBytes;
  const hash = createHash("md5");
  const kept: Buffer[] = [];
  let keptBytes = 0;
  let header = Buffer.alloc(0);
  let complete = false;
  let contentLength = Number.POSITIVE_INFINITY;
  let bodyBytes = 0;

  const pushBody = (chunk: Buffer): "too-long" | undefined => {
    if (wanted.digest && bodyBytes < contentLength) hash.update(chunk.subarray(0, contentLength - bodyBytes));
    bodyBytes += chunk.length;
    if (keptBytes < keptMax) {
      const part = Buffer.from(chunk.subarray(0, keptMax - keptBytes));
      kept.push(part);
      keptBytes += part.length;
    }
    return bodyBytes > limits.bodyBytesMax ? "too-long" : undefined;
  };

  return {
    push: (chunk) => {
      if (complete) return pushBody(chunk);
      // The end may lie across two chunks.
      const from = Math.max(0, header.length - headerEnd.length);
      header = Buffer.concat([header, chunk.subarray(0, limits.headerBytesMax)]);
      const end = header.indexOf(headerEnd, from);
      if (end < 0) return header.length > limits.headerBytesMax ? "too-long" : undefined;
      complete = true;
      const bodyStart = end + headerEnd.length;
      const before = header.length - Math.min(chunk.length, limits.headerBytesMax);
      header = header.subarray(0, bodyStart);
      contentLength = contentLengthOf(header.toString("latin1"));
      const rest = chunk.subarray(bodyStart - before);
      return rest.length === 0 ? undefined : pushBody(rest);
    },
    hasHeader: () => complete,
    status: () => (complete ? statusOf(header.toString("latin1")) : 0),
    digest: () => hash.digest("hex"),
    excerpt: () => (complete && keptBytes > 0 ? Buffer.concat(kept) : header).toString("utf8", 0, excerptBytes),
    body: () => Buffer.concat(kept),
  };
}

/** Behind the first space: three digits and another space. */
const statusOf = (header: string): number => Number(/^[^ \r]* (\d{3}) /.exec(header)?.[1] ?? 0);

/** Infinite where there is none, or none that makes sense. */
function contentLengthOf(header: string): number {
  const text = /\r\ncontent-length:[ \t]*(\d{1,15})[ \t]*\r\n/i.exec(header)?.[1];
  return text === undefined ? Number.POSITIVE_INFINITY : Number(text);
}
