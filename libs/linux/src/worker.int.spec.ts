// What a worker may use: the clock, timers and netlink, while the main thread has its VRRP sockets.
import { Worker } from "node:worker_threads";
import { parseIp } from "@baton/domain";
import { expect, test } from "vitest";
import { openAdvertSocket } from "./advert-socket.ts";
import { bootNow } from "./clock.ts";

test("timers and watches run in a worker, beside a main thread that has a socket for adverts", async () => {
  const address = parseIp("127.0.0.1");
  if (address === undefined) throw new Error("no address");
  const unheard = { onDatagrams: () => undefined, onError: () => undefined };
  const socket = openAdvertSocket({ interface: "lo", ifindex: 1, family: 4, protocol: 112, address, ...unheard });
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
  socket.close();
  expect(await exited, "it ends by itself once everything is closed").toBe(0);
});
