// A service for host.int.spec.ts, in a process of its own: built code, as it runs in production.
import { Worker } from "node:worker_threads";
import { startHost } from "@baton/host";

// The host keeps its thread to itself; whoever it posts to is the one to break.
const threads = [];
const post = Worker.prototype.postMessage;
Worker.prototype.postMessage = function (...message) {
  if (threads.at(-1) !== this) threads.push(this);
  return post.apply(this, message);
};

const host = await startHost({ service: process.argv[2] ?? "election" });
const state = { ticks: 0 };
await host.serveWatch({ states: () => [{ kind: "vrrp", id: "VI_1", version: 0, state: undefined }] });

const timer = setInterval(() => {
  state.ticks++;
  host.log.info(`tick ${state.ticks}`);
  host.events.append(
    { kind: "vrrp", id: "VI_1" },
    {
      type: "priority-changed",
      data: { instance: "VI_1", vrid: 51, from: 1, to: 2, base: 3, tracker: "", reason: `tick ${state.ticks}` },
    },
  );
}, 10);
host.own({ close: () => clearInterval(timer) });

process.on("message", (message) => {
  if (message.do === "throw") {
    setTimeout(() => {
      throw new Error("a bug");
    });
  }
  if (message.do === "break-backstage") threads.at(-1).terminate();
});
host.ready();
