// Servers that are up, slow, silent, wrong and worse, by name of the state they are in.
import type { Socket } from "node:net";
import { type SecureContext, TLSSocket } from "node:tls";

/** Behind a connection. */
export type StreamKind = "TCP_CHECK" | "HTTP_GET" | "SSL_GET" | "SMTP_CHECK";
export type LetterKind = "DNS_CHECK" | "UDP_CHECK";

/** What is slow comes within the time of a check, what is late does not. */
export const pauseMillis = { slow: 150, late: 1_500 } as const;

const pauseOf = (state: string): number => (state in pauseMillis ? pauseMillis[state as keyof typeof pauseMillis] : 0);

export const page = "a good page";
const head = (status: string): string => `HTTP/1.0 ${status} x\r\nContent-Length: ${page.length}\r\n\r\n`;

const answers: Readonly<Record<string, string>> = {
  "wrong status": head("503") + page,
  "no status": `HTTP/1.0 OK\r\n\r\n${page}`,
  "wrong body": `${head("200")}a evil page`,
  "no match": `${head("200")}a evil page`,
  "half a header": head("200").slice(0, 20),
  "half a header, then closed": head("200").slice(0, 20),
  "half a header, then reset": head("200").slice(0, 20),
  "half a body": head("200") + page.slice(0, 5),
  "half a body, then closed": head("200") + page.slice(0, 5),
  "half a body, then reset": head("200") + page.slice(0, 5),
  "a header alone": head("200"),
};

const lines: Readonly<Record<string, { readonly greeting?: string; readonly answer?: string }>> = {
  "wrong greeting": { greeting: "554 no\r\n" },
  "several lines": { greeting: "220-well\r\n220 come\r\n" },
  "half a line": { greeting: "220 co" },
  "half a line, then closed": { greeting: "220 co" },
  "half a line, then reset": { greeting: "220 co" },
  "wrong answer": { answer: "501 who?\r\n" },
  "silent behind the greeting": { answer: "" },
};

/** `contexts`: of certificates, by name; `good` where a state names none. */
export function behave(
  kind: StreamKind,
  state: string,
  raw: Socket,
  contexts: ReadonlyMap<string, SecureContext>,
): void {
  if (state === "silent" || kind === "TCP_CHECK") {
    if (state === "closed") raw.end();
    if (state === "reset") raw.resetAndDestroy();
    return;
  }
  if (state === "closed") return void raw.end();
  if (state === "reset") return void raw.resetAndDestroy();
  if (state === "another protocol") return void raw.end("* hello, nobody expects this\r\n\r\n");
  // A fatal alert: handshake_failure (RFC 5246 7.2).
  if (state === "alert") return void raw.once("data", () => raw.end(Buffer.from([21, 3, 3, 0, 2, 2, 40])));
  // The beginning of a record of 122 octets.
  if (state === "half a handshake") return void raw.once("data", () => raw.write(Buffer.from([22, 3, 3, 0, 122, 2])));
  const end = (): void => {
    if (state.endsWith("then closed")) raw.end();
    // What was said before is to arrive: a reset overtakes it.
    if (state.endsWith("then reset")) setTimeout(() => raw.resetAndDestroy(), 100);
  };
  if (kind === "SMTP_CHECK") return converse(state, raw, end);
  const secureContext = contexts.get(state) ?? contexts.get("good");
  const socket =
    kind === "SSL_GET" ? new TLSSocket(raw, { isServer: true, ...(secureContext && { secureContext }) }) : raw;
  socket.on("error", () => undefined);
  const text = answers[state] ?? head("200") + page;
  const say = (): void =>
    void (answers[state] === undefined || !state.includes("half") ? socket.end(text) : socket.write(text, end));
  socket.once("data", () => setTimeout(say, pauseOf(state)));
}

function converse(state: string, socket: Socket, end: () => void): void {
  const { greeting = "220 hello\r\n", answer = "250 yes\r\n" } = lines[state] ?? {};
  const say = (text: string): void => void setTimeout(() => socket.write(text, end), pauseOf(state));
  socket.on("data", () => say(answer));
  say(greeting);
}

/** Answers to a datagram. */
export function reply(kind: LetterKind, state: string, question: Uint8Array): Uint8Array[] {
  if (state === "silent") return [];
  if (kind === "UDP_CHECK")
    return [Buffer.from(state === "wrong" ? "evil" : state === "long" ? "good and long" : "good")];
  // The question as its own answer, with flags as RFC 1035 4.1.1 has them.
  const answer = Uint8Array.from(question);
  const rcodes: Readonly<Record<string, number>> = { fails: 2, "no such name": 3, refuses: 5 };
  answer[2] = (answer[2] ?? 0) | 0x80 | (state === "truncated" ? 2 : 0);
  answer[3] = rcodes[state] ?? 0;
  if (state === "to another") answer[0] = (answer[0] ?? 0) ^ 0xff;
  if (state === "cut off") return [answer.subarray(0, 11)];
  if (state === "the question itself") return [question];
  // A name that points at itself (4.1.4).
  if (state === "round in a circle") return [Uint8Array.from([...answer, 0xc0, answer.length])];
  return [answer];
}

export const replyPause = pauseOf;
