import { describe, expect, test } from "vitest";
import { type Command, parseArguments } from "./arguments.ts";

const parse = (line: string): Command => {
  const parsed = parseArguments(line.split(" ").filter((word) => word !== ""));
  if (!parsed.ok) throw new Error(parsed.message);
  return parsed.command;
};

test("up, with nothing but a configuration", () => {
  expect(parse("up --config x.conf")).toEqual({
    type: "up",
    config: "x.conf",
    name: undefined,
    runDir: "/run/baton",
    stateDir: "/var/lib/baton",
    settings: undefined,
    readyFile: undefined,
  });
});

test("up, with everything", () => {
  const line = "up --config x --name r1 --run-dir a --state-dir b --settings c --ready-file d";
  expect(parse(line)).toEqual({
    type: "up",
    config: "x",
    name: "r1",
    runDir: "a",
    stateDir: "b",
    settings: "c",
    readyFile: "d",
  });
  expect(parse("up --config=x --name=r1")).toMatchObject({ config: "x", name: "r1" });
});

test("check, status, events", () => {
  expect(parse("check x.conf --json")).toEqual({ type: "check", file: "x.conf", json: true });
  expect(parse("status")).toEqual({ type: "status", runDir: "/run/baton", json: false });
  expect(parse("events -f --limit 5 --type became-master")).toEqual({
    type: "events",
    runDir: "/run/baton",
    json: false,
    follow: true,
    limit: 5,
    eventType: "became-master",
  });
});

test("help and version", () => {
  expect(parse("")).toMatchObject({ type: "help", text: expect.stringContaining("baton up") });
  expect(parse("--help")).toMatchObject({ type: "help" });
  for (const name of ["up", "check", "status", "events"]) {
    const wanted = { type: "help", text: expect.stringContaining(`baton ${name}`) };
    expect(parse(`${name} --help`)).toMatchObject(wanted);
    expect(parse(`help ${name}`)).toMatchObject(wanted);
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
    ["check a b", /unexpected "b"/],
    ["status --follow", /Unknown option '--follow'/],
    ["events --limit x", /--limit x: not a number/],
    ["events --limit 0", /not a number from 1 up/],
    ["events --json=yes", /json.*does not take an argument/i],
  ])("%s", (line, says) => {
    const parsed = parseArguments(line.split(" "));
    expect(parsed).toMatchObject({ ok: false, message: expect.stringMatching(says) });
    if (!parsed.ok) expect(parsed.message).toMatch(/^[^\n]*; see baton .*--help$/);
  });
});
