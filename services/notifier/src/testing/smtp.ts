// An SMTP server of one test's own, which keeps what it gets and refuses what it is told to refuse.
import { SMTPServer } from "smtp-server";

export interface ReceivedMail {
  readonly from: string;
  readonly to: readonly string[];
  readonly subject: string;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
  /** What the client called itself. */
  readonly helo: string;
  readonly encrypted: boolean;
}

export interface TestSmtp {
  readonly port: number;
  readonly mails: readonly ReceivedMail[];
  /** Recipients that get this answer to RCPT TO. */
  readonly refuse: Map<string, number>;
  /** Takes the whole mail and never answers. */
  hang: boolean;
  /** Mails taken and not answered. */
  readonly busy: number;
  close(): Promise<void>;
}

export function startTestSmtp(port = 0, options: { readonly offersTls?: boolean } = {}): Promise<TestSmtp> {
  const mails: ReceivedMail[] = [];
  const refuse = new Map<string, number>();
  const state = { hang: false, busy: 0 };
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: options.offersTls === true ? ["AUTH"] : ["AUTH", "STARTTLS"],
    disableReverseLookup: true,
    closeTimeout: 100,
    logger: false,
    onRcptTo({ address }, _session, done) {
      const code = refuse.get(address);
      if (code === undefined) return done();
      done(Object.assign(new Error(`no ${address} here`), { responseCode: code }));
    },
    onData(stream, session, done) {
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("end", () => {
        if (state.hang) {
          state.busy += 1;
          return;
        }
        const envelope = session.envelope;
        const from = envelope.mailFrom === false ? "" : envelope.mailFrom.address;
        const to = envelope.rcptTo.map(({ address }) => address);
        const helo = session.hostNameAppearsAs;
        mails.push({ from, to, helo, encrypted: session.secure, ...parseMail(Buffer.concat(chunks).toString("utf8")) });
        done();
      });
    },
  });
  server.on("error", () => undefined);
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    const listening = server.listen(port, "127.0.0.1", () => {
      const address = listening.address();
      resolve({
        port: typeof address === "object" && address !== null ? address.port : port,
        mails,
        refuse,
        get hang() {
          return state.hang;
        },
        set hang(hangs) {
          state.hang = hangs;
        },
        get busy() {
          return state.busy;
        },
        close: () => new Promise((done) => server.close(() => done())),
      });
    });
  });
}

function parseMail(text: string): Pick<ReceivedMail, "subject" | "headers" | "body"> {
  const [head = "", ...rest] = text.split("\r\n\r\n");
  const lines = head.replace(/\r\n[ \t]+/g, " ").split("\r\n");
  const headers = new Map(lines.map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 2)]));
  return {
    subject: headers.get("Subject") ?? "",
    headers,
    body: rest.join("\r\n\r\n").replaceAll("\r\n", "\n").trimEnd(),
  };
}
