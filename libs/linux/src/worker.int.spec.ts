// What a worker may use: the clock, timers and netlink, while the main thread has its VRRP sockets.
import { Worker } from "node:worker_threads";
import { expect, test } from "vitest";
import { bootNow } from "./clock.ts";
import { createRawSocket } from "./raw-socket.ts";

test("timers and watches run in a worker, beside a main thread that has loaded raw-socket", async () => {
  createRawSocket({ protocol: 112, bufferSize: 16 }).close();
  const source = `
    import { parentPort } from "node:worker_threads";
    import { bootNow, openDeadlineTimer, openLinkMonitor } from ${JSON.stringify(new URL("../dist/mod.js", import.meta.url).href)};
    const monitor = openLinkMonitor({ onChange() {}, onGap() {} });
    const deadline = bootNow() + 5000;
    const timer = openDeadlineTimer(() => {
      parentPort.postMessage({ deadline, firedAt: bootNow(), links: monitor.links().map((link) => link.name) });
      timer.close();
      monitor.close();
    });
    timer.arm(deadline);`;
  const start = bootNow();
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(source)}`));
  const exited = new Promise<number>((resolve) => worker.once("exit", resolve));
  const answer = await new Promise<{ deadline: number; firedAt: number; links: string[] }>((resolve, reject) => {
    worker.once("message", resolve);
    worker.once("error", reject);
  });
  expect(answer.deadline).toBeGreaterThan(start);
  expect(answer.firedAt).toBeGreaterThanOrEqual(answer.deadline);
  expect(answer.links).toContain("lo");
  expect(await exited, "it ends by itself once everything is closed").toBe(0);
});
