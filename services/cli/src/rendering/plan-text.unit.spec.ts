import type { Change } from "@baton/keepalived-conf";
import { expect, test } from "vitest";
import { changeLines, countChanges } from "./plan-text.ts";
import { pipe } from "./screen.ts";

const change = (over: Partial<Change>): Change => ({
  kind: "instance",
  name: "A",
  action: "changed",
  identity: "",
  why: undefined,
  fields: [],
  parts: [],
  ...over,
});
const field = { path: "p", label: "priority", before: "1", after: "2", secret: false, effect: "reload" } as const;

test("a sign for what happens, and what is inside below it", () => {
  const changes = [
    change({ action: "removed", identity: "VRID 1 on eth0" }),
    change({
      fields: [field, { ...field, label: "hub", secret: true, before: "***", after: undefined, effect: "start" }],
      parts: [change({ kind: "address", name: "10.0.0.1/24", action: "added" })],
    }),
    change({ action: "restarted", name: "B", why: "it was called C" }),
    change({ kind: "global", name: "" }),
  ];
  expect(changeLines(changes, pipe)).toEqual([
    "- instance A (VRID 1 on eth0)",
    "~ instance A",
    "    priority 1 → 2",
    "    hub removed; takes effect at the next start of the node",
    "    + address 10.0.0.1/24",
    "! instance B: starts anew: it was called C",
    "~ global",
  ]);
  expect(countChanges(changes)).toBe("1 removed, 2 changed in place, 1 starting anew");
});

test("what a file has written cannot write to the terminal", () => {
  const lines = changeLines([change({ name: "\u001b[2J", fields: [{ ...field, after: "\u0007" }] })], pipe);
  expect(lines.join("")).not.toMatch(/\p{Cc}/u);
});
