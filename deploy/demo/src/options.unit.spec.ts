import { expect, test } from "vitest";
import { obstacle, parseOptions, usage } from "./options.ts";

test("the words", () => {
  expect(parseOptions([])).toEqual({ kind: "demonstration", once: false, json: false });
  expect(parseOptions(["--once", "--json"])).toEqual({ kind: "demonstration", once: true, json: true });
  expect(parseOptions(["--help"])).toEqual({ kind: "help", text: usage });
  expect(parseOptions(["--config", "x", "--name", "n"])).toEqual({
    kind: "node",
    words: ["--config", "x", "--name", "n"],
  });
  expect(parseOptions(["--config=x"])).toMatchObject({ kind: "node" });
});

test("wrong words are one sentence", () => {
  expect(parseOptions(["--json"])).toEqual({ kind: "error", message: "--json goes with --once" });
  expect(parseOptions(["--twice"])).toMatchObject({
    kind: "error",
    message: expect.stringMatching(/^Unknown option '--twice'$/),
  });
  expect(parseOptions(["more"])).toMatchObject({ kind: "error", message: expect.stringMatching(/more/) });
});

const good = { platform: "linux", userId: 0, nodeVersion: "20.19.0", hasProgram: () => true };

test.each([
  [{}, undefined],
  [{ nodeVersion: "22.1.0" }, undefined],
  [{ platform: "darwin" }, /Linux only/],
  [{ userId: 1000 }, /needs root/],
  [{ nodeVersion: "20.18.3" }, /20\.18\.3 is too old/],
  [{ nodeVersion: "18.20.0" }, /too old/],
  [{ hasProgram: () => false }, /`ip` command is missing/],
])("what is in the way: %o", (difference, says) => {
  const found = obstacle({ ...good, ...difference });
  if (says === undefined) expect(found).toBe(undefined);
  else expect(found).toMatch(says);
});
