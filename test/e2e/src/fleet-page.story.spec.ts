// The fleet page in a real browser on a real fleet: kill the master, and see the page change without a reload.
import { connect, createServer, type Server } from "node:net";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startHub } from "./fleet-hub.ts";
import { backupConf, labFor, masterConf } from "./pair.ts";

const lab = labFor("fleet-page", { beforeAll, afterAll }, { hub: true });
const held: { browser?: Browser; proxy?: Server } = {};

beforeAll(async () => {
  held.browser = await chromium.launch({
    executablePath: "/usr/bin/chromium",
    headless: true,
    args: [
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
});
afterAll(async () => {
  await held.browser?.close();
  held.proxy?.close();
});

/** Bytes between a port on loopback and the page's unix socket: browsers know no unix sockets. */
function proxyTo(socket: string): Promise<string> {
  const server = createServer((near) => {
    const far = connect(socket);
    near.pipe(far).pipe(near);
    for (const end of [near, far]) {
      end.on("error", () => undefined);
      end.on("close", () => {
        near.destroy();
        far.destroy();
      });
    }
  });
  held.proxy = server;
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? `http://127.0.0.1:${address.port}/` : "");
    });
  });
}

async function openPage(address: string): Promise<Page> {
  if (held.browser === undefined) throw new Error("there is no browser");
  const page = await held.browser.newPage({ viewport: { width: 1280, height: 800 } });
  await page.addInitScript("window.loadedAt = performance.timeOrigin");
  await page.goto(address);
  return page;
}

const seen = (page: Page, selector: string, text: string): Promise<void> =>
  page.locator(selector).filter({ hasText: text }).first().waitFor({ timeout: 30_000 });

describe("the fleet page", () => {
  test("shows the master, its death, its successor and its return, without a reload", async () => {
    const hub = await startHub(lab.get(), ["r1", "r2"]);
    const [r1, r2] = await Promise.all([
      lab
        .get()
        .router("r1")
        .startBaton(masterConf(), { settings: hub.settings("r1") }),
      lab
        .get()
        .router("r2")
        .startBaton(backupConf(), { settings: hub.settings("r2") }),
    ]);
    // Beside a browser starting takes a busy machine more than ten seconds.
    await Promise.all([r1.waitState("master", "VI_1", 40_000), r2.waitState("backup", "VI_1", 40_000)]);
    const address = await proxyTo(hub.page);
    const page = await openPage(address);
    const loadedAt = await page.evaluate("window.loadedAt");
    await seen(page, ".group .verdict", "r1 is master");
    await seen(page, "header", "live");

    await r1.kill();
    await seen(page, ".group .verdict", "r2 is master");
    await seen(page, ".event .sentence", "r2 became master of VI_1");
    await seen(page, ".event .sentence", "r2 added");
    await seen(page, ".node", "not heard");
    await seen(page, ".group tr.stale", "last known");

    const again = await lab
      .get()
      .router("r1")
      .startBaton(masterConf(), { settings: hub.settings("r1") });
    await again.waitState("master", "VI_1", 40_000);
    await seen(page, ".group .verdict", "r1 is master");
    await seen(page, ".event .sentence", "r1 became master of VI_1");
    // What r1 could not tell when it was killed has come in order behind.
    const events = (await (await fetch(`${address}api/events?limit=1000`)).json()) as { events: { id: string }[] };
    expect(new Set(events.events.map(({ id }) => id)).size).toBe(events.events.length);
    expect(await page.evaluate("window.loadedAt")).toBe(loadedAt);
  });
});
