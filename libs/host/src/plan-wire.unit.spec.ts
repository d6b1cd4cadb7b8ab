import { PlanResult } from "@baton/contracts";
import { type Change, diffConfig } from "@baton/keepalived-conf";
import { configOf, diagnostic } from "@baton/keepalived-conf/testing";
import { expect, test } from "vitest";
import { changeFromWire, changeToWire, diagnosticFromWire, diagnosticToWire } from "./plan-wire.ts";

const overTheWire = (result: Partial<PlanResult>): PlanResult =>
  PlanResult.decode(PlanResult.encode(PlanResult.fromPartial(result)).finish());

test("what is sent arrives", () => {
  const text = (lines: string): string => `vrrp_instance A {\ninterface eth0\nvirtual_router_id 1\n${lines}\n}\n`;
  const after = text("priority 90\nvirtual_ipaddress { 192.0.2.2 }") + text("").replace("A", "B").replace("1", "2");
  const changes = diffConfig(configOf(text("")), configOf(after));
  const restarted: Change = {
    kind: "x",
    name: "y",
    identity: "",
    action: "restarted",
    why: "so",
    fields: [],
    parts: [],
  };
  const diagnostics = [diagnostic({ text: "a", used: "", hint: undefined }), diagnostic({})];
  const all = [...changes, restarted];
  const received = overTheWire({
    changes: all.map(changeToWire),
    diagnostics: diagnostics.map(diagnosticToWire),
  });
  expect(received.changes.map(changeFromWire)).toEqual(all);
  expect(received.diagnostics.map(diagnosticFromWire)).toEqual(diagnostics);
});

test("words of a newer node are taken for the worst", () => {
  const [change] = overTheWire({
    changes: [
      {
        ...changeToWire({ kind: "", name: "", identity: "", why: undefined, action: "changed", fields: [], parts: [] }),
        action: "moved",
      },
    ],
  }).changes;
  expect(change && changeFromWire(change).action).toBe("restarted");
});
