import { type DrainRequest, NodeStatus } from "@baton/contracts";
import { expect, test } from "vitest";
import type { DrainCommand } from "../arguments/parse-arguments.ts";
import { drain } from "./drain.ts";
import { NodeError } from "./node-error.ts";

const command: DrainCommand = {
  type: "drain",
  server: "10.0.0.1",
  virtualServer: "",
  deadlineMs: 0,
  undo: false,
  wait: false,
  runDir: "",
  json: false,
};
const web = { virtualServer: "web", server: "10.0.0.1:80" };

/** `looks`: the drain of the server at each look; `silence`: nobody answers; `blind`: it is not told of, as at the end. */
function scene(answer: string, looks: readonly string[] = []) {
  const said: string[] = [];
  const asked: DrainRequest[] = [];
  const left = [...looks];
  const status = (state: string | undefined): NodeStatus =>
    NodeStatus.fromPartial({
      virtualServers: state === undefined ? [] : [{ name: "web", servers: [{ server: web.server, drain: state }] }],
    });
  return {
    said,
    asked,
    left,
    console: { out: (text: string | Uint8Array) => void said.push(String(text)), error() {} },
    node: {
      drain: async (request: DrainRequest) => {
        asked.push(request);
        return { drained: [{ ...web, drain: answer }] };
      },
      status: async () => {
        const state = left.shift();
        if (state === "silence") throw new NodeError("no node runs here");
        return status(state === "blind" ? undefined : state);
      },
    },
    pause: async () => {},
  };
}

test("asks, and says what became of each server", async () => {
  const draining = scene("draining");
  expect(await drain({ ...command, deadlineMs: 300_000, virtualServer: "web" }, draining)).toBe(0);
  expect(draining.asked).toEqual([{ server: "10.0.0.1", virtualServer: "web", deadlineMs: 300_000, undo: false }]);
  expect(draining.said).toEqual(["10.0.0.1:80 of web: being drained: no new connections\n"]);
  const undone = scene("none");
  expect(await drain({ ...command, undo: true, json: true }, undone)).toBe(0);
  expect(JSON.parse(undone.said.join(""))).toEqual({ drained: [{ ...web, drain: "none" }] });
});

test("--wait looks until the server is out", async () => {
  const parts = scene("draining", ["draining", "draining", "removed", "removed"]);
  expect(await drain({ ...command, wait: true }, parts)).toBe(0);
  expect(parts.left).toEqual(["removed"]);
  expect(parts.said).toEqual(["10.0.0.1:80 of web: drained, and out of the service\n"]);
});

test("--wait ends when somebody brings it back, or takes it out of the configuration", async () => {
  const back = "10.0.0.1:80 of web: brought back, or no longer configured, while it was being drained\n";
  for (const looks of [["none"], []]) {
    const parts = scene("draining", looks);
    expect(await drain({ ...command, wait: true }, parts)).toBe(1);
    expect(parts.said).toEqual([back]);
  }
});

test("--wait outlives a node that does not answer for a moment, and says that the drain goes on where it is gone", async () => {
  const moment = scene("draining", [
    "draining",
    ...Array(59).fill("silence"),
    "blind",
    "draining",
    "silence",
    "removed",
  ]);
  expect(await drain({ ...command, wait: true }, moment)).toBe(0);
  const gone = scene("draining", Array(61).fill("silence"));
  await expect(drain({ ...command, wait: true }, gone)).rejects.toThrow("the drain goes on");
});
