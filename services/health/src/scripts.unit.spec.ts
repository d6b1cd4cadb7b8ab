import { micros } from "@baton/domain";
import type { TrackScriptConfig } from "@baton/keepalived-conf";
import { command } from "@baton/keepalived-conf/testing";
import { expect, test } from "vitest";
import { compareScripts, type TrackedScript, trackedScripts } from "./scripts.ts";
import { script, shell, snapshot } from "./testing/fixtures.ts";

const nobody = { uid: 65534, gid: 65534 };
const own = { uid: 0, gid: 0 };
const lookup = (user: string) => (user === "nobody" ? nobody : undefined);

test("only scripts that an instance tracks are run, each once", () => {
  const { config } = snapshot([script("used"), script("unused")], 1, ["used", "used"]);
  expect([...trackedScripts(config, lookup, own).keys()]).toEqual(["used"]);
});

test("of two scripts with one name the first is used", () => {
  const { config } = snapshot([script("chk", { rise: 2 }), script("chk", { rise: 3 })]);
  expect(trackedScripts(config, lookup, own).get("chk")?.script.rise).toBe(2);
});

test("script_user is who a script without a user of its own runs as", () => {
  const { config } = snapshot([
    script("a"),
    script("b", { command: command("true", { user: { user: "root", group: undefined, supplementaryGroups: false } }) }),
  ]);
  const scriptUser = { user: "nobody", group: undefined, supplementaryGroups: false };
  const tracked = trackedScripts({ ...config, global: { ...config.global, scriptUser } }, lookup, own);
  expect(tracked.get("a")?.identity).toEqual({ ok: true, ids: nobody });
  expect(tracked.get("b")?.identity).toEqual({ ok: false, reason: "there is no user root" });
});

const tracked = (
  over: Partial<TrackScriptConfig> = {},
  ids: TrackedScript["identity"] = { ok: true, ids: undefined },
) => ({
  script: script("chk", over),
  identity: ids,
});
test.each([
  ["nothing", tracked(), tracked(), "same"],
  ["interval", tracked(), tracked({ interval: micros(9) }), "renumbered"],
  ["rise and fall", tracked(), tracked({ rise: 2, fall: 5 }), "renumbered"],
  ["weight: the instance's business, but harmless", tracked(), tracked({ weight: -2 }), "renumbered"],
  ["words", tracked(), tracked({ command: command("false") }), "replaced"],
  ["exec to shell", tracked(), tracked({ command: shell("true") }), "replaced"],
  ["who it runs as", tracked(), tracked({}, { ok: true, ids: nobody }), "replaced"],
  [
    "how the same user is named",
    tracked(),
    tracked({ command: command("true", { user: { user: "root", group: undefined, supplementaryGroups: false } }) }),
    "same",
  ],
] as const)("a reload that changes %s", (_name, before, after, difference) => {
  expect(compareScripts(before, after)).toBe(difference);
});
