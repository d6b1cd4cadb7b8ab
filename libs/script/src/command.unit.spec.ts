import type { Command, ScriptUser } from "@baton/keepalived-conf";
import { command as exampleCommand } from "@baton/keepalived-conf/testing";
import { describe, expect, test } from "vitest";
import { argvOf, identityOf, rememberUsers, scriptEnvironment } from "./command.ts";

const command = (over: Partial<Command> = {}): Command => exampleCommand("killall -0 haproxy", over);

describe("argv", () => {
  const shell = command({ text: "[[ -f /etc/keepalived/down ]] && exit 1 || exit 0", argv: ["[["], run: "shell" });
  test("a program is executed with exactly its words", () =>
    expect(argvOf(command())).toEqual(["killall", "-0", "haproxy"]));
  test("what keepalived appends comes last", () =>
    expect(argvOf(command(), ["INSTANCE", "VI 1"])).toEqual(["killall", "-0", "haproxy", "INSTANCE", "VI 1"]));
  test("shell syntax goes to bash as it was written", () =>
    expect(argvOf(shell)).toEqual(["bash", "-c", "[[ -f /etc/keepalived/down ]] && exit 1 || exit 0", "bash"]));
  test("under a shell, appended words are words and never syntax", () =>
    expect(argvOf(command({ text: "cd / && echo", run: "shell" }), ["$(reboot)", "a b"])).toEqual([
      "bash",
      "-c",
      'cd / && echo "$@"',
      "bash",
      "$(reboot)",
      "a b",
    ]));
});

describe("identity", () => {
  const users: Record<string, { uid: number; gid: number }> = {
    root: { uid: 0, gid: 0 },
    web: { uid: 33, gid: 33 },
    "web:adm": { uid: 33, gid: 4 },
    keepalived_script: { uid: 990, gid: 990 },
  };
  const lookup = (user: string, group: string | undefined) => users[group === undefined ? user : `${user}:${group}`];
  const without = (user: string) => (user === "keepalived_script" ? undefined : users[user]);
  const own = { uid: 0, gid: 0 };
  const named = (user: string, group?: string): ScriptUser => ({ user, group, supplementaryGroups: false });

  const rows: [string, ScriptUser | undefined, ScriptUser | undefined, typeof lookup, unknown][] = [
    ["its own user first", named("web"), named("root"), lookup, { ok: true, ids: { uid: 33, gid: 33 } }],
    ["with its group", named("web", "adm"), undefined, lookup, { ok: true, ids: { uid: 33, gid: 4 } }],
    ["then script_user", undefined, named("web"), lookup, { ok: true, ids: { uid: 33, gid: 33 } }],
    ["then keepalived_script", undefined, undefined, lookup, { ok: true, ids: { uid: 990, gid: 990 } }],
    ["then Baton's own", undefined, undefined, without, { ok: true, ids: undefined }],
    ["one's own is no change", named("root"), undefined, lookup, { ok: true, ids: undefined }],
    ["never root by mistake", named("wbe"), undefined, lookup, { ok: false, reason: "there is no user wbe" }],
    [
      "unknown group",
      named("web", "nix"),
      undefined,
      lookup,
      { ok: false, reason: "there is no user web or group nix" },
    ],
  ];
  test.each(rows)("%s", (_name, user, scriptUser, find, identity) => {
    expect(identityOf(command({ user }), scriptUser, find, own)).toEqual(identity);
  });
});

test("the environment keeps what is not dangerous and not Baton's own", () => {
  const from = {
    HOME: "/root",
    PATH: "/bin",
    IFS: "x",
    LD_PRELOAD: "evil.so",
    LD_LIBRARY_PATH: "/evil",
    NODE_OPTIONS: "--inspect",
    NODE_CHANNEL_FD: "3",
    BATON_RUN_DIR: "/run/baton",
    NOTIFY_SOCKET: "@x",
    UNSET: undefined,
  };
  expect(scriptEnvironment(from)).toEqual({ HOME: "/root", PATH: "/bin" });
  expect(scriptEnvironment({}).PATH).toMatch(/\/usr\/sbin/);
});

test("users are asked about once, and those that are not there once a minute", () => {
  const clock = { now: 0 };
  const asked: string[] = [];
  const users = rememberUsers(
    (user) => {
      asked.push(user);
      return user === "there" || clock.now > 100_000 ? { uid: 7, gid: 7 } : undefined;
    },
    () => clock.now,
  );
  for (clock.now = 0; clock.now < 150_000; clock.now += 10_000) {
    expect(users("there", undefined)).toEqual({ uid: 7, gid: 7 });
    users("later", undefined);
  }
  expect(asked).toEqual(["there", "later", "later", "later"]);
  expect(users("later", undefined)).toEqual({ uid: 7, gid: 7 });
  users("there", "group");
  expect(asked).toHaveLength(5);
});
