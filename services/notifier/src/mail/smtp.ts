// One attempt to hand a mail to the SMTP server, and what its answer means.
import { createTransport } from "nodemailer";
import type { Mail, MailServer } from "./message.ts";

export interface Attempt {
  readonly accepted: readonly string[];
  /** Recipients that the server refused, with its answer. */
  readonly refused: readonly Refusal[];
  /** The server's last answer, or what went wrong before it could answer. */
  readonly answer: string;
}

export interface Refusal {
  readonly recipient: string;
  readonly answer: string;
  /** 5yz (RFC 5321 section 4.2.1): asking again gives the same answer. */
  readonly permanent: boolean;
}

export type SendMail = (mail: Mail, to: readonly string[], server: MailServer) => Promise<Attempt>;

export function smtpSender(sender: { readonly hostName: string; readonly version: string }): SendMail {
  return async (mail, to, server) => {
    const transport = createTransport({
      host: server.host,
      port: server.port,
      secure: false,
      // Encrypted where the server offers it, in the clear where it does not, whoever it is: keepalived's users name a
      // relay next door, whose certificate nobody checks (RFC 7435).
      opportunisticTLS: true,
      tls: { rejectUnauthorized: false },
      name: server.heloName ?? sender.hostName,
      connectionTimeout: server.timeoutMillis,
      greetingTimeout: server.timeoutMillis,
      socketTimeout: server.timeoutMillis,
      disableFileAccess: true,
      disableUrlAccess: true,
    });
    try {
      const sent = await transport.sendMail({
        envelope: { from: mail.from, to: [...to] },
        from: mail.from,
        to: [...mail.to],
        subject: mail.subject,
        text: mail.text,
        date: new Date(mail.date),
        // The same for every attempt: a receiver can tell a repetition.
        messageId: `<${mail.id}@${sender.hostName}>`,
        xMailer: `Baton ${sender.version}`,
        headers: { "Auto-Submitted": "auto-generated", "X-Baton-Correlation": mail.cause.correlationId },
      });
      const refused = refusals(sent.rejectedErrors ?? []);
      const accepted = to.filter((each) => !refused.some(({ recipient }) => isSameAddress(recipient, each)));
      return { accepted, refused, answer: sent.response };
    } catch (error) {
      return failedAttempt(error, to);
    } finally {
      transport.close();
    }
  };
}

/** `Ops <ops@example.org>` and `ops@example.org` are one recipient. */
export const addressIn = (text: string): string => /<([^<>]+)>\s*$/.exec(text)?.[1] ?? text.trim();

const isSameAddress = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();

interface SmtpError extends Error {
  readonly command?: string | undefined;
  readonly response?: string | undefined;
  readonly responseCode?: number | undefined;
  readonly recipient?: string | undefined;
  readonly rejectedErrors?: readonly SmtpError[] | undefined;
}

/** Commands whose refusal is about this mail; a refused greeting is about the server, and servers get repaired. */
const aboutTheMail = ["MAIL FROM", "RCPT TO", "DATA"];

function failedAttempt(error: unknown, to: readonly string[]): Attempt {
  const failure = error as SmtpError;
  const answer = failure.response ?? failure.message;
  const single = refusals(failure.rejectedErrors ?? []);
  if (single.length > 0) return { accepted: [], refused: single, answer };
  const permanent = isPermanent(failure) && aboutTheMail.includes(failure.command ?? "");
  return { accepted: [], refused: to.map((recipient) => ({ recipient, answer, permanent })), answer };
}

const refusals = (errors: readonly SmtpError[]): Refusal[] =>
  errors.flatMap((error) =>
    error.recipient === undefined
      ? []
      : [{ recipient: error.recipient, answer: error.response ?? error.message, permanent: isPermanent(error) }],
  );

const isPermanent = ({ responseCode = 0 }: SmtpError): boolean => responseCode >= 500 && responseCode < 600;
