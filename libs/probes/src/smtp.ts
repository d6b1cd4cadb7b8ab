// SMTP_CHECK: 220, HELO, 250, QUIT, and any line is goodbye. One line answers one of ours: a reply of several lines fails,
// as keepalived has it, and what comes behind a line is passed over.
import type { Socket } from "node:net";
import type { ProbeOutcome } from "@baton/health";
import type { SmtpCheckerConfig } from "@baton/keepalived-conf";
import { type Attempt, printable, runAttempt } from "./attempt.ts";
import { connect } from "./connection.ts";

/** Octets of a line (RFC 5321 4.5.3.1.5). */
const lineMax = 512;

interface Step {
  /** What the line has to begin with; undefined: whatever comes. */
  readonly code: number | undefined;
  readonly say: string | undefined;
}

export function probeSmtp({ connection, heloName }: SmtpCheckerConfig, signal: AbortSignal): Promise<ProbeOutcome> {
  return runAttempt(signal, (attempt) => {
    const steps: Step[] = [
      { code: 220, say: `HELO ${heloName}\r\n` },
      { code: 250, say: "QUIT\r\n" },
      { code: undefined, say: undefined },
    ];
    connect(attempt, connection, (socket) => {
      let line = Buffer.alloc(0);
      attempt.allow(connection.timeout);
      socket.on("data", (chunk: Buffer) => {
        if (attempt.isOver()) return;
        attempt.allow(connection.timeout);
        line = Buffer.concat([line, chunk.subarray(0, lineMax)]);
        const end = line.indexOf(10);
        if (end >= 0) {
          hear(attempt, socket, line.toString("latin1", 0, end), steps.shift());
          line = Buffer.alloc(0);
        } else if (line.length >= lineMax) attempt.fail("wrong-reply", { excerpt: printable(line.toString("latin1")) });
      });
      const onEnd = (): void => attempt.fail("closed", { excerpt: printable(line.toString("latin1")) });
      socket.once("end", onEnd);
      socket.once("close", onEnd);
    });
  });
}

function hear(attempt: Attempt, socket: Socket, line: string, step: Step | undefined): void {
  const status = statusOf(line);
  if (step?.code !== undefined && status !== step.code) {
    const excerpt = printable(line);
    return attempt.fail("wrong-reply", { excerpt, ...(status === undefined ? {} : { status }) });
  }
  if (step?.say === undefined) attempt.succeed();
  else socket.write(step.say);
}

/** Three digits, and a space or nothing behind them. */
function statusOf(line: string): number | undefined {
  const digits = /^(\d{3})(?: |$)/.exec(line)?.[1];
  return digits === undefined ? undefined : Number(digits);
}
