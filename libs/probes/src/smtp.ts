// SMTP_CHECK: 220, HELO, 250, QUIT, and any line is goodbye. One line answers one of ours: a reply of several lines fails,
// as keepalived has it, and what comes behind a line is passed over.
import type { Socket } from "node:net";
import type { ProbeOutcome } from "@baton/health";
import type { SmtpCheckerConfig } from "@baton/keepalived-conf";
import { type Attempt, printable, runAttempt } from "./attempt.ts";
import { connect } from "./connection.ts";
import { readReplies, replyStatus } from "./smtp-reply.ts";

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
      const reader = readReplies();
      attempt.allow(connection.timeout);
      socket.on("data", (chunk: Buffer) => {
        if (attempt.isOver()) return;
        attempt.allow(connection.timeout);
        const heard = reader.push(chunk);
        if (heard === "too-long") attempt.fail("wrong-reply", { excerpt: printable(reader.partial()) });
        else if (heard !== undefined) hear(attempt, socket, heard.line, steps.shift());
      });
      const onEnd = (): void => attempt.fail("closed", { excerpt: printable(reader.partial()) });
      socket.once("end", onEnd);
      socket.once("close", onEnd);
    });
  });
}

function hear(attempt: Attempt, socket: Socket, line: string, step: Step | undefined): void {
  const status = replyStatus(line);
  if (step?.code !== undefined && status !== step.code) {
    const excerpt = printable(line);
    return attempt.fail("wrong-reply", { excerpt, ...(status === undefined ? {} : { status }) });
  }
  if (step?.say === undefined) attempt.succeed();
  else socket.write(step.say);
}
