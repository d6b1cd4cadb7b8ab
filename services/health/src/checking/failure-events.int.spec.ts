// What the event of a failed check carries, whoever failed and however: reason, errno, status, what the server said, how
// long it took, which attempt it was.
import { createServer as createHttpServer } from "node:http";
import { createServer, type Socket } from "node:net";
import { afterEach, expect, test, vi } from "vitest";
import { makeCheckedNodes, realServer, service } from "../testing/checked-node.ts";

const nodes = makeCheckedNodes();
afterEach(() => nodes.clear());

const url = "connect_timeout 5; url { path /; status_code 200 }";
const nothing = { errno: "", status: 0, excerpt: "", detail: "" };

test("a server fails three times, and is given up: the event says with what", async () => {
  const state = { broken: false };
  const stream = (broken: (socket: Socket) => void, whole: (socket: Socket) => void) =>
    nodes.listen(createServer((socket) => (state.broken ? broken : whole)(socket)));
  const page = (socket: Socket): void => void socket.once("data", () => socket.end("HTTP/1.1 200 OK\r\n\r\nfine"));
  const mail = (socket: Socket): void => {
    socket.write("220 come\r\n");
    socket.on("data", () => socket.write("250 stay\r\n"));
  };
  const web = createHttpServer((_, response) => {
    response.statusCode = state.broken ? 503 : 200;
    response.end("no\tbackend\r\nleft \u001b[31m");
  });
  const rows: readonly (readonly [check: string, port: number, data: object])[] = [
    [
      `HTTP_GET { ${url} }`,
      await nodes.listen(web),
      { reason: "wrong-status", status: 503, excerpt: "no backend left [31m" },
    ],
    [
      `HTTP_GET { ${url} }`,
      await stream((socket) => socket.resetAndDestroy(), page),
      { reason: "reset", errno: "ECONNRESET" },
    ],
    [
      `HTTP_GET { ${url} }`,
      await stream((socket) => socket.end(`HTTP/1.1 200 OK\r\nX: ${"y".repeat(40_000)}`), page),
      {
        reason: "wrong-reply",
        detail: "the answer is too long",
        excerpt: expect.stringMatching(/^HTTP\/1\.1 200 OK X: y{10}/),
      },
    ],
    [
      "SMTP_CHECK { }",
      await stream((socket) => socket.write("554 full\r\n"), mail),
      { reason: "wrong-reply", status: 554, excerpt: "554 full" },
    ],
  ];
  const node = await nodes.start(
    service(
      rows.map(([check, port]) => realServer("127.0.0.1", port, check, "retry 2")),
      "connect_timeout 5",
    ),
  );
  await vi.waitFor(() => expect(node.checkers().map(({ status }) => status)).toEqual(rows.map(() => "up")));
  expect(node.events("checker")).toEqual([]);
  state.broken = true;
  await vi.waitFor(() => expect(node.destinations()).toEqual({}), { timeout: 15_000 });
  for (const [check, port, data] of rows) {
    const type = check.split(" ")[0] ?? "";
    const events = node.events("checker").flatMap(({ event }) => (event.type === "check-failed" ? [event.data] : []));
    expect(events.filter((each) => each.check.includes(`${type} 127.0.0.1:${port}`))).toEqual([
      { ...nothing, ...data, check: expect.any(String), attempt: 3, url: 0, durationMs: expect.any(Number) },
    ]);
    expect(events.every(({ durationMs }) => durationMs > 0 && durationMs < 15_000)).toBe(true);
  }
});
