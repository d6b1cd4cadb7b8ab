import { describe, expect, test } from "vitest";
import { commands } from "./command-table.ts";
import { type Command, parseArguments } from "./parse-arguments.ts";

const split = (line: string): string[] => line.split(" ").filter((word) => word !== "");

const parse = (line: string): Command => {
  const parsed = parseArguments(split(line));
  if (!parsed.ok) throw new Error(parsed.message);
  return parsed.command;
};

test("up, with nothing but a configuration", () => {
  expect(parse("up --config x.conf")).toEqual({
    type: "up",
    config: "x.conf",
    name: undefined,
    id: undefined,
    runDir: "/run/baton",
    stateDir: "/var/lib/baton",
    settings: undefined,
    readyFile: undefined,
    pidFiles: [],
  });
});

test("up, with everything", () => {
  const line =
    "up --config x --pid-file e --pid-file f --name r1 --id a1 --run-dir a --state-dir b --settings c --ready-file d";
  expect(parse(line)).toEqual({
    type: "up",
    config: "x",
    name: "r1",
    id: "a1",
    runDir: "a",
    stateDir: "b",
    settings: "c",
    readyFile: "d",
    pidFiles: ["e", "f"],
  });
  expect(parse("up --config=x --name=r1")).toMatchObject({ config: "x", name: "r1" });
});

test("check", () => {
  const plain = {
    type: "check",
    peers: [],
    peerIds: [],
    settings: undefined,
    id: undefined,
    strict: false,
    lint: true,
    json: false,
    color: "auto",
  };
  expect(parse("check x.conf")).toEqual({ ...plain, files: ["x.conf"] });
  expect(
    parse("check x y --strict --json --id r1 --peer p --peer q --peer-id r2 --settings b --no-lint --color never"),
  ).toEqual({
    type: "check",
    files: ["x", "y"],
    peers: ["p", "q"],
    peerIds: ["r2"],
    settings: "b",
    id: "r1",
    strict: true,
    lint: false,
    json: true,
    color: "never",
  });
  expect(parse("check --explain priority")).toEqual({
    type: "explain",
    keyword: "priority",
    json: false,
    color: "auto",
  });
});

test("fmt, plan, keywords, completion", () => {
  expect(parse("fmt -")).toEqual({ type: "fmt", files: ["-"], mode: "print" });
  expect(parse("fmt a b --check")).toEqual({ type: "fmt", files: ["a", "b"], mode: "check" });
  expect(parse("fmt a b --write")).toEqual({ type: "fmt", files: ["a", "b"], mode: "write" });
  const plan = { type: "plan", file: "x", runDir: "/run/baton", json: false, color: "auto" };
  expect(parse("plan x")).toEqual(plan);
  expect(parse("plan x --run-dir d --json")).toEqual({ ...plan, runDir: "d", json: true });
  const keywords = { type: "keywords", block: undefined, support: undefined, json: false, color: "auto" };
  expect(parse("keywords")).toEqual(keywords);
  expect(parse("keywords --block vrrp_instance --support works")).toEqual({
    ...keywords,
    block: "vrrp_instance",
    support: "works",
  });
  expect(parse("completion zsh")).toEqual({ type: "completion", shell: "zsh" });
});

test("status, events", () => {
  const status = { type: "status", runDir: "/run/baton", json: false, servers: false };
  expect(parse("status")).toEqual(status);
  expect(parse("status --servers")).toEqual({ ...status, servers: true });
  expect(parse("events")).toMatchObject({ limit: 100 });
  expect(parse("events -f --limit 5 --type became-master")).toEqual({
    type: "events",
    runDir: "/run/baton",
    json: false,
    follow: true,
    limit: 5,
    eventType: "became-master",
  });
});

test("drain, why", () => {
  const drain = {
    type: "drain",
    server: "10.0.0.1:80",
    virtualServer: "",
    deadlineMs: 0,
    undo: false,
    wait: false,
    runDir: "/run/baton",
    json: false,
  };
  expect(parse("drain 10.0.0.1:80")).toEqual(drain);
  expect(parse("drain 10.0.0.1:80 --virtual-server web --deadline 5m --wait")).toEqual({
    ...drain,
    virtualServer: "web",
    deadlineMs: 300_000,
    wait: true,
  });
  for (const [text, deadlineMs] of [
    ["90", 90_000],
    ["90s", 90_000],
    ["2h", 7_200_000],
  ] as const)
    expect(parse(`drain 10.0.0.1:80 --deadline ${text}`)).toEqual({ ...drain, deadlineMs });
  expect(parse("drain 10.0.0.1:80 --undo")).toEqual({ ...drain, undo: true });
  const why = { type: "why", name: "VI_1", limit: 20_000, runDir: "/run/baton", json: false };
  expect(parse("why VI_1")).toEqual(why);
  expect(parse("why VI_1 --limit 5 --json")).toEqual({ ...why, limit: 5, json: true });
});

test("help and version", () => {
  expect(parse("")).toMatchObject({ type: "help", text: expect.stringContaining("baton up") });
  expect(parse("--help")).toMatchObject({ type: "help" });
  for (const command of Object.values(commands)) {
    const { name } = command;
    const help = parse(`${name} --help`);
    expect(help).toMatchObject({ type: "help", text: expect.stringContaining(`baton ${name}`) });
    expect(parse(`help ${name}`)).toEqual(help);
    expect(parse("")).toMatchObject({ text: expect.stringContaining(`baton ${name}`) });
    const text = help.type === "help" ? help.text : "";
    for (const option of command.options) expect(text).toContain(`--${option.name}`);
    expect(text.split("\n").filter((line) => line.length > 120)).toEqual([]);
  }
  expect(parse("--version")).toEqual({ type: "version" });
});

describe("one sentence for what is wrong", () => {
  test.each([
    ["start", /there is no command "start"/],
    ["up", /--config FILE is missing/],
    ["up --config", /config.*argument missing/i],
    ["up --config x --colour red", /Unknown option '--colour'/],
    ["up --config x more", /unexpected "more"/],
    ["up --config=", /--config needs a value/],
    ["check", /file to check is missing/],
    ["check --color", /color.*argument missing/i],
    ["check x --color blue", /--color blue: not one of auto, always, never/],
    ["check x --peer=", /--peer needs a value/],
    ["check x --explain priority", /--explain takes no file: unexpected "x"/],
    ["fmt", /file to format is missing; - is standard input/],
    ["fmt a --check --write", /give one of --check and --write/],
    ["fmt - --write", /standard input cannot be written/],
    ["fmt a b", /several files need --check or --write/],
    ["plan", /file to plan with is missing/],
    ["plan -", /cannot read standard input/],
    ["plan a b", /unexpected "b"/],
    ["keywords x", /unexpected "x"/],
    ["keywords --support none", /--support none: not one of works, accepted, refused/],
    ["completion", /the shell is missing: bash or zsh/],
    ["completion fish", /"fish" is not one of bash, zsh/],
    ["status --follow", /Unknown option '--follow'/],
    ["events --limit x", /--limit x: not a number/],
    ["events --limit 0", /not a number from 1 up/],
    ["events --json=yes", /json.*does not take an argument/i],
  ])("%s", (line, says) => {
    const parsed = parseArguments(split(line));
    expect(parsed).toMatchObject({ ok: false, message: expect.stringMatching(says) });
    if (!parsed.ok) expect(parsed.message).toMatch(/^[^\n]*; see baton .*--help$/);
  });

  test("an empty word", () => expect(parseArguments(["check", ""])).toMatchObject({ ok: false }));
});
