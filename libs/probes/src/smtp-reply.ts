// Lines of a mail server, as a check hears them: one at a time, and what comes in one piece behind a line is passed over.

/** Octets of a line (RFC 5321 4.5.3.1.5). */
export const lineMax = 512;

export interface ReplyReader {
  /** undefined: go on. */
  push(chunk: Buffer): { readonly line: string } | "too-long" | undefined;
  /** What has come of a line so far. */
  partial(): string;
}

export function readReplies(): ReplyReader {
  let kept = Buffer.alloc(0);
  return {
    push: (chunk) => {
      kept = Buffer.concat([kept, chunk.subarray(0, lineMax)]);
      const end = kept.indexOf(10);
      if (end < 0) return kept.length >= lineMax ? "too-long" : undefined;
      const line = kept.toString("latin1", 0, end);
      kept = Buffer.alloc(0);
      return { line };
    },
    partial: () => kept.toString("latin1"),
  };
}

/** Three digits, and a space or nothing behind them. */
export function replyStatus(line: string): number | undefined {
  const digits = /^(\d{3})(?: |$)/.exec(line)?.[1];
  return digits === undefined ? undefined : Number(digits);
}
