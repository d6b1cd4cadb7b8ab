// With real scripts.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BatonEventOf, type EventEnvelope, micros } from "@baton/domain";
import { createTestHost } from "@baton/host/testing";
import { bootNow } from "@baton/linux";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createRivalNotes } from "./rival-notes.ts";
import { createScriptDelivery } from "./script-delivery.ts";
import { command, noScripts, vrrpEvent } from "./testing/fixtures.ts";

const held = { folder: "", lines: [] as string[] };
const path = (name: string): string => join(held.folder, name);
beforeEach(() => {
  Object.assign(held, { folder: mkdtempSync(join(tmpdir(), "baton-rival-")), lines: [] });
  writeFileSync(path("note"), '#!/bin/bash\necho "$*" >> "$(dirname "$0")/record"\n', { mode: 0o755 });
});
afterEach(() => rmSync(held.folder, { recursive: true, force: true }));

const record = (): string => (existsSync(path("record")) ? readFileSync(path("record"), "utf8") : "");

function heardBy(name: string): EventEnvelope<BatonEventOf<"rival-heard">> {
  const event = vrrpEvent.rival(name);
  if (event.type !== "rival-heard") throw new Error(event.type);
  const about = {
    time: "",
    node: "r1",
    service: "election",
    epoch: 1,
    version: 1,
    correlationId: "c",
    causationId: "",
  } as const;
  return { ...about, id: `of ${name}`, at: bootNow(), aggregate: { kind: "vrrp", id: name }, event };
}

test("the line for each, and the script with exactly its words where there is one; what became of it is told", async () => {
  const host = createTestHost({ service: "notifier" });
  const started: string[] = [];
  const lowerPriority = command(`${path("note")} rival -x`);
  const configured = new Map([
    ["A", { notify: { ...noScripts, lowerPriority } }],
    ["B", { notify: noScripts }],
  ]);
  const notes = createRivalNotes({
    instance: (name) => configured.get(name),
    priority: (name) => (name === "A" ? 98 : undefined),
    write: (line) => void held.lines.push(line),
    newDelivery: () =>
      createScriptDelivery({
        host,
        grace: () => micros(60_000_000),
        environment: { PATH: process.env.PATH },
        identityOf: () => ({ ok: true, ids: undefined }),
        onStarted: ({ instance, state }) => void started.push(`${instance} ${state}`),
        onEnded: () => undefined,
      }),
  });
  for (const name of ["A", "B", "of another file"]) notes.tell(heardBy(name));
  expect(held.lines).toEqual(['INSTANCE "A" MASTER_RX_LOWER_PRI 98\n', 'INSTANCE "B" MASTER_RX_LOWER_PRI 101\n']);
  await vi.waitFor(() => expect(record()).toBe("rival -x\n"), { timeout: 15_000, interval: 10 });
  expect(started).toEqual(["A MASTER_RX_LOWER_PRI"]);
  const [delivery, ...others] = notes.deliveries();
  expect(others).toEqual([]);
  await vi.waitFor(() => expect(delivery?.idle).toBe(true), { timeout: 15_000, interval: 10 });
  expect(host.appended.map(({ event, causationId }) => [event.type, event.data, causationId])).toEqual([
    ["notification-delivered", expect.objectContaining({ instance: "A", state: "MASTER_RX_LOWER_PRI" }), "of A"],
  ]);
});
