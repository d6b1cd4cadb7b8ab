// What the real servers say to whom, once an attempt has come through to them.
import { createSocket } from "node:dgram";
import { createServer, type Socket } from "node:net";
import { createSecureContext, type SecureContext, TLSSocket } from "node:tls";
import { certificateNames } from "@baton/probes/testing";
import { type Director, type Kind, portOf, serverAddress, type VerdictCase } from "./cases.ts";

export interface DoorOptions {
  readonly cases: readonly VerdictCase[];
  /** What the attempt meets; `id`: the port that it comes from. */
  readonly attempt: (who: Director, number: number, id: string) => string;
  /** Key material, by name. */
  readonly keys: (name: string) => string;
}

/** Both directors come from addresses whose ends tell them apart. */
export const directorOf = (address: string): Director | undefined =>
  ({ 1: "baton", 2: "keepalived" })[/(\d)$/.exec(address)?.[1] ?? ""] as Director | undefined;

const numberOf = (address = ""): number => Number(/0*(\d+)$/.exec(address)?.[1]);

export async function startDoors(options: DoorOptions): Promise<void> {
  const contexts = new Map<string, SecureContext>(
    certificateNames.map((name) => [
      name,
      createSecureContext({ key: options.keys(`${name}.key`), cert: options.keys(`${name}.pem`) }),
    ]),
  );
  const doors: readonly Kind[] = ["tcp", "http", "ssl", "smtp"];
  await Promise.all(doors.map((kind) => openDoor(kind, options, contexts)));
  await Promise.all(
    options.cases.flatMap((each) => (each.kind === "dns" || each.kind === "udp" ? [openLetterBox(each, options)] : [])),
  );
}

function openDoor(kind: Kind, { attempt }: DoorOptions, contexts: ReadonlyMap<string, SecureContext>): Promise<void> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on("error", () => undefined);
    const who = directorOf(socket.remoteAddress ?? "");
    if (who === undefined) return void socket.destroy();
    const behaviour = attempt(who, numberOf(socket.localAddress), String(socket.remotePort));
    meet(kind, behaviour, socket, contexts);
  });
  return new Promise((resolve) => server.listen({ port: portOf[kind], host: "::", backlog: 512 }, resolve));
}

function meet(kind: Kind, behaviour: string, raw: Socket, contexts: ReadonlyMap<string, SecureContext>): void {
  // Who is done with us is done: nothing stays half open for ever.
  raw.once("end", () => setTimeout(() => raw.destroy(), 1_000));
  if (kind === "tcp" || behaviour === "silent") return;
  if (behaviour === "closed") return void raw.end();
  if (behaviour === "reset") return void raw.resetAndDestroy();
  if (behaviour === "other") return void raw.end("* nobody expects this\r\n\r\n");
  if (kind === "smtp") return converse(raw, behaviour);
  if (kind === "http") return answer(raw, behaviour, () => raw.resetAndDestroy());
  const secureContext = contexts.get(behaviour) ?? contexts.get("good");
  const tls = new TLSSocket(raw, { isServer: true, ...(secureContext && { secureContext }) });
  tls.on("error", () => undefined);
  answer(tls, behaviour, () => raw.resetAndDestroy());
}

const page = (status: string, body: string): string =>
  `HTTP/1.0 ${status} x\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
const bodies: Readonly<Record<string, string>> = { bad: "evil", "good-bad": "good, bad" };

function answer(socket: Socket, behaviour: string, reset: () => void): void {
  const status = /^\d{3}$/.test(behaviour) ? behaviour : "200";
  const text = page(status, bodies[behaviour] ?? "good");
  const half = text.slice(0, 20);
  const later = (millis: number, action: () => void): void => void setTimeout(action, millis);
  const ways: Readonly<Record<string, () => void>> = {
    half: () => socket.write(half),
    "half-closed": () => socket.end(half),
    "half-reset": () => socket.write(half, () => later(100, reset)),
    slow: () => later(1_000, () => socket.end(text)),
    late: () => later(6_000, () => socket.end(text)),
    drip: () => {
      for (const [at, part] of (text.match(/.{1,8}/gs) ?? []).entries()) later(at * 100, () => socket.write(part));
      later(2_000, () => socket.end());
    },
  };
  socket.once("data", ways[behaviour] ?? (() => socket.end(text)));
}

const hellos: Readonly<Record<string, string>> = {
  helo: "501 who\r\n",
  "bare-helo": "250\r\n",
  many: "250-stay\r\n250 SIZE\r\n",
};

function converse(socket: Socket, behaviour: string): void {
  const greetings: Readonly<Record<string, string>> = {
    554: "554 no\r\n",
    "220-": "220-well\r\n220 come\r\n",
    bare: "220\r\n",
  };
  socket.write(greetings[behaviour] ?? "220 come\r\n");
  socket.on("data", (line: Buffer) => {
    if (line.toString().toUpperCase().startsWith("QUIT")) socket.end("221 go\r\n");
    else socket.write(hellos[behaviour] ?? "250 stay\r\n");
  });
}

/** Each has a socket of its own, so that answers come from where the question went to. */
function openLetterBox(each: VerdictCase, { attempt }: DoorOptions): Promise<void> {
  const socket = createSocket(each.family === 4 ? "udp4" : "udp6");
  socket.on("message", (message, from) => {
    const who = directorOf(from.address);
    if (who === undefined) return;
    const behaviour = attempt(who, each.number, String(from.port));
    const reply = each.kind === "dns" ? nameAnswer(message, behaviour) : replies[behaviour];
    if (reply !== undefined) socket.send(reply, from.port, from.address);
  });
  return new Promise((resolve) => socket.bind(portOf[each.kind], serverAddress(each), resolve));
}

const replies: Readonly<Record<string, string>> = { good: "good", bad: "evil", long: "g".repeat(9) };

/** The question as its own answer, with flags as RFC 1035 section 4.1.1 has them. */
function nameAnswer(question: Buffer, behaviour: string): Buffer | undefined {
  if (behaviour === "silent") return undefined;
  const answer = Buffer.from(question);
  const truncated = behaviour === "truncated" ? 0x02 : 0;
  answer[2] = (answer[2] ?? 0) | 0x80 | truncated;
  answer[3] = { servfail: 2, nxdomain: 3 }[behaviour] ?? 0;
  return answer;
}
