// The client: sends one numbered UDP datagram each interval to an address and hears who answers. Runs in the client's
// namespace, on a real-time priority where that is allowed; reports over its IPC channel.
import { createSocket } from "node:dgram";
import { bootNow } from "@baton/linux";
import { createProbeLedger } from "./probe-ledger.ts";
import { answerOf, type ProberCommand, type ProberMessage, questionOf } from "./probe-protocol.ts";

const [address = "", portText = "", intervalText = ""] = process.argv.slice(2);
const port = Number(portText);
const intervalMicros = Number(intervalText) * 1000;
/** Probes that are due are sent together after a short delay; what is later than this is a pause. */
const catchUpMicrosMax = 10_000;
const liveEveryMicros = 250_000;

const ledger = createProbeLedger();
const socket = createSocket(address.includes(":") ? "udp6" : "udp4");
const clock = { due: 0, sequence: 0, liveAt: 0, by: "" };
const tell = (message: ProberMessage): void => {
  process.send?.(message);
};

socket.on("message", (bytes) => {
  const answer = answerOf(bytes);
  if (answer === undefined) return;
  clock.by = answer.by;
  ledger.answered(answer.sequence, bootNow(), answer.by);
});
// No route or no neighbour: the probe is lost, and counted as such.
socket.on("error", () => undefined);

function send(at: number): void {
  ledger.sent(clock.sequence, at);
  socket.send(questionOf(clock.sequence), port, address, () => undefined);
  clock.sequence += 1;
}

function tick(): void {
  const now = bootNow();
  const late = now - clock.due;
  if (late > catchUpMicrosMax) {
    const skipped = Math.floor(late / intervalMicros);
    ledger.paused(now, late / 1000, skipped);
    clock.due += skipped * intervalMicros;
  }
  while (clock.due <= now) {
    send(now);
    clock.due += intervalMicros;
  }
  if (now >= clock.liveAt) {
    clock.liveAt = now + liveEveryMicros;
    const { sent, answered, lost } = ledger.report();
    tell({ type: "live", sent, answered, lost, by: clock.by });
  }
  setTimeout(tick, 1);
  // After the sockets were read: an answer that waits there is no loss (timers run first in Node).
  setImmediate(() => ledger.settle(bootNow()));
}

process.on("message", (command: ProberCommand) => {
  switch (command.type) {
    case "report":
      tell({ type: "report", id: command.id, report: ledger.report() });
      return;
    case "finish":
      // One more loop turn for what waits in the socket.
      setImmediate(() => {
        ledger.finish(bootNow());
        tell({ type: "report", id: command.id, report: ledger.report() });
      });
      return;
  }
});
process.on("disconnect", () => process.exit(0));

socket.bind(0, () => {
  // Answers wait here while this process is not scheduled: room for seconds of them.
  socket.setRecvBufferSize(4 * 1024 * 1024);
  clock.due = bootNow();
  tell({ type: "started" });
  tick();
});
