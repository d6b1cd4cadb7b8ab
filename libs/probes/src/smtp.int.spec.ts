// SMTP_CHECK against servers in another namespace: a real one, and what each line can do wrong.
import type { Socket } from "node:net";
import { micros } from "@baton/domain";
import type { ProbeOutcome } from "@baton/health";
import type { CheckConnection } from "@baton/keepalived-conf";
import { SMTPServer } from "smtp-server";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { probeSmtp } from "./smtp.ts";
import {
  connectionTo,
  families,
  makeProbeWorld,
  type ProbeWorld,
  serverAddress,
  times,
} from "./testing/probe-world.ts";

let world: ProbeWorld;
beforeAll(() => {
  world = makeProbeWorld("smtp");
});
afterEach(() => world.clear());
afterAll(() => world.remove());

const never = new AbortController().signal;
const short = micros(150_000);
const probe = (family: 4 | 6, over: Partial<CheckConnection> = {}): Promise<ProbeOutcome> =>
  world.ours.inside(() => {
    const connection = connectionTo(serverAddress[family], 25, over);
    return probeSmtp({ ...times, type: "SMTP_CHECK", heloName: "check.example.org", connection }, never);
  });

/** Says the first line at once and each other one to a line that it hears; undefined: closes instead. */
function converse(family: 4 | 6, lines: readonly (string | undefined)[], heard: string[] = []): string[] {
  world.serve(serverAddress[family], 25, (socket) => {
    const left = [...lines];
    const say = (): void => {
      const line = left.shift();
      if (line === undefined) socket.end();
      else socket.write(line);
    };
    socket.on("data", (chunk) => {
      heard.push(chunk.toString());
      say();
    });
    say();
  });
  return heard;
}

describe.each(families)("IPv%i", (family) => {
  test("a real server", async () => {
    const server = new SMTPServer({ disableReverseLookup: true, logger: false });
    server.on("error", () => undefined);
    server.server.listen({ fd: world.bound(serverAddress[family], 25) });
    try {
      expect(await probe(family)).toEqual({ ok: true, durationMicros: expect.any(Number) });
    } finally {
      await new Promise<void>((resolve) => server.close(resolve));
    }
  });

  test("what is said; any goodbye will do", async () => {
    const heard = converse(family, ["220 hello\r\n", "250 pleased\r\n", "what?\r\n"]);
    expect(await probe(family)).toMatchObject({ ok: true });
    expect(heard).toEqual(["HELO check.example.org\r\n", "QUIT\r\n"]);
  });

  test("a line in parts, the rest behind a line is passed over", async () => {
    world.serve(serverAddress[family], 25, (socket: Socket) => {
      for (const [index, part] of ["2", "20 he", "llo\r\n250 too early\r\n"].entries()) {
        setTimeout(() => socket.write(part), 20 * index);
      }
      socket.once("data", () => {
        socket.write("250 \n");
        socket.once("data", () => socket.write("\n"));
      });
    });
    expect(await probe(family)).toMatchObject({ ok: true });
  });

  test.each<[string, (string | undefined)[], object]>([
    ["another greeting", ["554 go away\r\n"], { reason: "wrong-reply", status: 554, excerpt: "554 go away" }],
    ["a greeting of several lines", ["220-hello\r\n220 you\r\n"], { reason: "wrong-reply", excerpt: "220-hello" }],
    ["no mail server", ["HTTP/1.1 400 Bad Request\r\n"], { reason: "wrong-reply" }],
    ["HELO is refused", ["220 hello\r\n", "501 who?\r\n"], { reason: "wrong-reply", status: 501 }],
    ["a line without an end", ["2".repeat(600)], { reason: "wrong-reply" }],
    ["closed at once", [undefined], { reason: "closed" }],
    ["closed behind HELO", ["220 hello\r\n", undefined], { reason: "closed" }],
    ["closed behind QUIT", ["220 hello\r\n", "250 hello\r\n", undefined], { reason: "closed" }],
    ["half a line and closed", ["220 hel", undefined], { reason: "timeout" }],
  ])("%s", async (_, lines, expected) => {
    converse(family, lines);
    expect(await probe(family, { timeout: micros(400_000) })).toMatchObject({ ok: false, ...expected });
  });

  test("refused, half-open, reset, blackholed", async () => {
    expect(await probe(family)).toMatchObject({ ok: false, reason: "refused" });
    let onSocket = (_socket: Socket): void => undefined;
    world.serve(serverAddress[family], 25, (socket) => onSocket(socket));
    expect(await probe(family, { timeout: short })).toMatchObject({ ok: false, reason: "timeout" });
    onSocket = (socket) => {
      socket.write("220 hello\r\n");
      socket.once("data", () => socket.resetAndDestroy());
    };
    expect(await probe(family)).toMatchObject({ ok: false, reason: "reset" });
    world.drop("tcp dport 25 drop");
    expect(await probe(family, { timeout: short })).toMatchObject({ ok: false, reason: "timeout" });
  });
});
