// The page in a real browser, on a real hub: what a person sees when a master changes.
import { join } from "node:path";
import { encodeMessage, type NodeStatus } from "@baton/contracts";
import { type Hub, openHub } from "@baton/event-log";
import { until } from "@baton/event-log/testing";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { encodeHeartbeat, heartbeatSubject } from "./heartbeat.ts";
import { launchBrowser } from "./testing/browser.ts";
import { becameBackup, becameMaster, type EventPlace, heartbeatOf, instanceState } from "./testing/fleet-events.ts";
import { startTestHub, type TestHub } from "./testing/running-hub.ts";

const webRoot = join(import.meta.dirname, "../dist/web");
const held: { browser?: Browser } = {};
const opened: { close(): unknown }[] = [];
const own = <T extends { close(): unknown }>(resource: T): T => {
  opened.push(resource);
  return resource;
};

beforeAll(async () => {
  held.browser = await launchBrowser();
});
afterAll(() => held.browser?.close());
afterEach(async () => {
  for (const each of opened.splice(0).reverse()) await each.close();
});

/** A router that the test plays: its heartbeats go on until it is told otherwise. */
class PlayedRouter {
  readonly #bus: Hub;
  readonly #node: string;
  readonly #timer: NodeJS.Timeout;
  #state: string;
  #version = 0;
  #term = 0;
  pools: NodeStatus["pools"];

  constructor(bus: Hub, node: string, state: string) {
    this.#bus = bus;
    this.#node = node;
    this.#state = state;
    this.#timer = setInterval(() => this.#beat(), 200);
    this.#beat();
  }

  async become(state: "master" | "backup"): Promise<void> {
    this.#state = state;
    const place: EventPlace = {
      at: Date.now(),
      version: ++this.#version,
      term: state === "master" ? ++this.#term : this.#term,
    };
    await this.#bus.publish(encodeMessage((state === "master" ? becameMaster : becameBackup)(this.#node, place)));
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #beat(): void {
    // Taken now: a heartbeat that is as old as an event would be news against it.
    const instance = instanceState(this.#node, {
      state: this.#state,
      term: this.#term,
      addresses: ["192.0.2.10"],
      master: this.#state === "backup" ? "10.0.0.1" : "",
    });
    this.#bus.sendSignal(
      heartbeatSubject(this.#node),
      encodeHeartbeat(heartbeatOf(this.#node, Date.now(), [instance], { pools: this.pools })),
    );
  }
}

const scene: { hub?: TestHub; page?: Page; routers: PlayedRouter[]; problems: string[] } = {
  routers: [],
  problems: [],
};
const theHub = (): TestHub => scene.hub ?? failed("no hub");
const thePage = (): Page => scene.page ?? failed("no page");
const router = (number: number): PlayedRouter => scene.routers[number - 1] ?? failed(`no r${number}`);
function failed(what: string): never {
  throw new Error(what);
}

async function play(node: string, state: string): Promise<PlayedRouter> {
  const bus = own(openHub({ ...theHub().login(node), name: node }));
  await until(`${node} is connected`, () => bus.connected);
  return own(new PlayedRouter(bus, node, state));
}

beforeEach(async () => {
  scene.hub = own(await startTestHub({ nodes: ["r1", "r2"], webRoot }));
  scene.routers = [await play("r1", "master"), await play("r2", "backup")];
  const context = await (held.browser ?? failed("no browser")).newContext({ viewport: { width: 1280, height: 800 } });
  opened.push({ close: () => context.close() });
  const page = await context.newPage();
  scene.page = page;
  scene.problems = [];
  page.on("console", (message) => {
    if (message.type() === "error") scene.problems.push(message.text());
  });
  page.on("pageerror", (error) => scene.problems.push(error.message));
  // Gone with a reload.
  await page.addInitScript("window.loadedAt = performance.timeOrigin");
  await page.goto(theHub().running().page);
});

const verdict = () => thePage().locator(".group .verdict");
const stateOf = (node: string) => thePage().getByRole("row", { name: node }).locator(".state");
async function waitForText(locator: ReturnType<typeof verdict>, text: string): Promise<void> {
  await locator.filter({ hasText: text }).waitFor({ timeout: 10_000 });
}

test("the page shows a new master and tells why, without a reload", async () => {
  await waitForText(verdict(), "r1 is master");
  await waitForText(stateOf("r2"), "backup");
  const loadedAt = await thePage().evaluate("window.loadedAt");
  await router(2).become("master");
  await router(1).become("backup");
  await waitForText(verdict(), "r2 is master");
  await waitForText(stateOf("r1"), "backup");
  const newest = thePage().locator(".event .sentence").filter({ hasText: "r2 became master of VI_1" });
  expect(await newest.first().textContent()).toBe(
    "r2 became master of VI_1 (term 1) because r1's advertisements stopped",
  );
  expect(await thePage().locator("[aria-live=polite]").textContent()).toBe("VI_1: r2 is master");
  expect(await thePage().evaluate("window.loadedAt")).toBe(loadedAt);
  expect(scene.problems).toEqual([]);
});

test("a router that falls silent is shown so, and a group without a master is an alarm", async () => {
  await waitForText(verdict(), "r1 is master");
  router(1).close();
  await waitForText(thePage().locator(".node").filter({ hasText: "r1" }), "not heard");
  await waitForText(verdict(), "no master");
  await waitForText(thePage().locator(".summary"), "1 conflict");
  await router(2).become("master");
  await waitForText(verdict(), "r2 is master");
  await waitForText(thePage().locator(".summary"), "0 conflicts");
});

test("a node's virtual servers: how many serve, and who is down", async () => {
  const troubles = [
    { virtualServer: "[192.0.2.1]:tcp:80", server: "", what: "no-quorum", why: "" },
    { virtualServer: "[192.0.2.1]:tcp:80", server: "10.0.0.5:80", what: "down", why: "refused" },
  ];
  const counts = { virtualServers: 2, withoutQuorum: 1, realServers: 4, live: 3, drained: 0 };
  const pools = thePage().locator(".node").filter({ hasText: "r2" }).locator(".pools");
  await waitForText(verdict(), "r1 is master");
  expect(await pools.count()).toBe(0);
  router(2).pools = { ...counts, troubles };
  await waitForText(pools, "3 of 4 real servers live");
  await waitForText(pools, "1 without quorum");
  await waitForText(pools.locator(".troubles"), "10.0.0.5:80 of [192.0.2.1]:tcp:80 is down: refused");
  router(2).pools = { ...counts, withoutQuorum: 0, live: 4, troubles: [] };
  await waitForText(pools, "4 of 4 real servers live");
  await until("no trouble is left", async () => (await pools.locator(".troubles").count()) === 0);
});

test("two masters are an alarm", async () => {
  await waitForText(verdict(), "r1 is master");
  await router(2).become("master");
  await waitForText(verdict(), "more than one master");
});

test("the page survives a restart of the hub, and shows the present afterwards", async () => {
  await waitForText(verdict(), "r1 is master");
  const { page } = theHub().running();
  await theHub().stop();
  await waitForText(thePage().locator("header"), "hub away");
  // The same address again, as a hub has.
  await theHub().start({ kind: "tcp", host: "127.0.0.1", port: Number(new URL(page).port) });
  await waitForText(thePage().locator("header"), "live");
  await waitForText(verdict(), "r1 is master");
});

test("events can be filtered, and a story shown", async () => {
  await router(2).become("master");
  await router(2).become("backup");
  const events = thePage().locator(".event");
  await waitForText(events, "became backup");
  expect(await events.count()).toBe(2);
  const filter = thePage().getByRole("searchbox", { name: "Filter events" });
  await filter.fill("became MASTER");
  await until("one event is left", async () => (await events.count()) === 1);
  await filter.fill("no such words");
  await waitForText(thePage().locator(".events .empty"), "No event matches.");
  await filter.fill("");
  await events.filter({ hasText: "became backup" }).getByRole("button").click();
  await until("the story is one event", async () => (await events.count()) === 1);
});

test("nothing of the page is wider than a phone", async () => {
  await waitForText(verdict(), "r1 is master");
  await thePage().setViewportSize({ width: 360, height: 740 });
  const tooWide = await thePage().evaluate(
    "[...document.querySelectorAll('body *')].filter((e) => e.getBoundingClientRect().right > innerWidth + 1 && getComputedStyle(e).position !== 'absolute').map((e) => e.className)",
  );
  expect(tooWide).toEqual([]);
});

test("the page asks nobody but its own server", async () => {
  const { page } = theHub().running();
  const asked: string[] = [];
  thePage().on("request", (request) => asked.push(request.url()));
  await thePage().reload();
  await waitForText(verdict(), "r1 is master");
  expect(asked.length).toBeGreaterThan(2);
  expect(asked.filter((url) => !url.startsWith(page))).toEqual([]);
});
