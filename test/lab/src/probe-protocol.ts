// What prober, responder and the test say to each other.
import type { ProbeReport } from "./probe-ledger.ts";

/** The echo service's port. */
export const echoPort = 7;

export type ProberCommand = { readonly type: "report" | "finish"; readonly id: number };

export type ProberMessage =
  | { readonly type: "started" }
  | { readonly type: "report"; readonly id: number; readonly report: ProbeReport }
  | {
      readonly type: "live";
      readonly sent: number;
      readonly answered: number;
      readonly lost: number;
      /** Who answered last; "" when nobody has. */
      readonly by: string;
    };

export function questionOf(sequence: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(sequence));
  return bytes;
}

/** The question with the answering router's name after it; undefined when it is none of ours. */
export function answerOf(bytes: Buffer): { sequence: number; by: string } | undefined {
  if (bytes.length <= 8) return undefined;
  return { sequence: Number(bytes.readBigUInt64BE()), by: bytes.toString("utf8", 8) };
}
