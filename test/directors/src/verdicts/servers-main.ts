// Inside the machine: the servers of all cases, good or broken as standard input says it: "good" or "broken", a line each.
//   node servers-main.js KEY CERTIFICATE
import { createSocket } from "node:dgram";
import { readFileSync } from "node:fs";
import { createServer as createHttp, type RequestListener } from "node:http";
import { createServer as createHttps } from "node:https";
import { createServer, type Server } from "node:net";
import { createInterface } from "node:readline";
import { goodBody } from "./cases.ts";

const [key = "", cert = ""] = process.argv.slice(2).map((file) => readFileSync(file, "utf8"));
const state = { good: true, listener: undefined as Server | undefined };

const status: RequestListener = (_, response) => {
  response.statusCode = state.good ? 200 : 500;
  response.end("page");
};
createHttp(status).listen(8002);
createHttp((_, response) => response.end(state.good ? goodBody : "bad")).listen(8003);
createHttp((_, response) => {
  if (state.good) response.end("page");
}).listen(8004);
createHttps({ key, cert }, status).listen(8005);

createServer((socket) => {
  socket.on("error", () => undefined);
  socket.write(state.good ? "220 mail\r\n" : "554 no\r\n");
  socket.on("data", (data) => {
    const quits = data.toString().toUpperCase().startsWith("QUIT");
    if (quits) socket.end("221 bye\r\n");
    else socket.write("250 ok\r\n");
  });
}).listen(8006);

/** The question as its own answer: without an error, or with SERVFAIL (RFC 1035 section 4.1.1). */
const names = createSocket("udp4");
names.on("message", (question, from) => {
  const answer = Buffer.from(question);
  answer[2] = (answer[2] ?? 0) | 0x80;
  answer[3] = state.good ? 0 : 2;
  names.send(answer, from.port, from.address);
});
names.bind(8007);

const echo = createSocket("udp4");
echo.on("message", (message, from) => {
  if (state.good) echo.send(message, from.port, from.address);
});
echo.bind(8008);

function listen(): void {
  state.listener?.close();
  state.listener = state.good
    ? createServer((socket) => socket.on("error", () => undefined).end()).listen(8001)
    : undefined;
}

listen();
createInterface({ input: process.stdin }).on("line", (line) => {
  state.good = line === "good";
  listen();
  process.stdout.write(`${line}\n`);
});
process.stdout.write("ready\n");
