// Completions in real shells: what somebody gets who presses Tab.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { commands } from "./command-table.ts";
import { completionScript } from "./completion.ts";

const vocabulary = {
  keywords: ["priority", "advert_int", "lint/equal-priorities", "bad; word"],
  blocks: ["vrrp_instance"],
};
const held = { directory: "" };
beforeEach(() => {
  held.directory = mkdtempSync(join(tmpdir(), "baton-completion-"));
  for (const shell of ["bash", "zsh"] as const)
    writeFileSync(join(held.directory, `baton.${shell}`), completionScript(shell, vocabulary));
  writeFileSync(join(held.directory, "a file.conf"), "");
  mkdirSync(join(held.directory, "adirectory"));
});
afterEach(() => rmSync(held.directory, { recursive: true, force: true }));

/** The words that bash offers for the last one. */
function complete(...words: readonly string[]): string[] {
  const script = `source ./baton.bash; complete -p baton >&2 || exit 9
    COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _baton; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const options = { cwd: held.directory, encoding: "utf8" } as const;
  const { stdout, stderr, status } = spawnSync("bash", ["--norc", "-uc", script, "bash", "baton", ...words], options);
  expect(stderr).toBe("complete -F _baton baton\n");
  expect(status).toBe(0);
  return stdout.split("\n").filter((line) => line !== "");
}

describe("bash", () => {
  test("commands", () => {
    expect(complete("")).toEqual([...Object.keys(commands), "help", "--help", "--version"]);
    expect(complete("c")).toEqual(["check", "completion"]);
    expect(complete("help", "ev")).toEqual(["events"]);
  });

  test("options of a command, and of no other", () => {
    expect(complete("plan", "--")).toEqual(["--run-dir", "--json", "--color", "--help"]);
    expect(complete("events", "--f")).toEqual(["--follow"]);
    expect(complete("events", "")).toContain("--limit");
  });

  test("values", () => {
    expect(complete("check", "--color", "")).toEqual(["auto", "always", "never"]);
    expect(complete("check", "--color", "=", "al")).toEqual(["always"]);
    expect(complete("check", "--color", "=")).toEqual(["auto", "always", "never"]);
    expect(complete("check", "--explain", "")).toEqual(["priority", "advert_int", "lint/equal-priorities"]);
    expect(complete("keywords", "--block", "v")).toEqual(["vrrp_instance"]);
    expect(complete("completion", "")).toEqual(["bash", "zsh"]);
    expect(complete("check", "--id", "x")).toEqual([]);
  });

  test("files and directories, blanks and all", () => {
    expect(complete("check", "a")).toEqual(expect.arrayContaining(["a file.conf", "adirectory"]));
    expect(complete("check", "a file.conf", "a")).toEqual(expect.arrayContaining(["a file.conf"]));
    expect(complete("up", "--run-dir", "a")).toEqual(["adirectory"]);
    expect(complete("check", "--peer", "a f")).toEqual(["a file.conf"]);
  });
});

const hasZsh = spawnSync("zsh", ["--version"]).status === 0;
if (!hasZsh) console.warn("SKIPPED: zsh is not installed; its completions are not tried");

describe.skipIf(!hasZsh)("zsh", () => {
  /** zsh completes in an interactive shell alone: one in a terminal of its own, which has to show `wanted` after a Tab. */
  function offers(line: string, wanted: string): boolean {
    const session = `zmodload zsh/zpty
      zpty shell zsh -f -i
      zpty -w shell "cd ${held.directory}; PROMPT=; autoload -U compinit; compinit -D; source ./baton.zsh; bindkey '^I' list-choices; echo be''gun"
      zpty -r -m shell shown '*begun*'
      zpty -w -n shell $'${line}\\t'
      zpty -r -m shell shown '*${wanted}*' && print found
      zpty -d shell`;
    const { stdout } = spawnSync("zsh", ["-fc", session], { encoding: "utf8", timeout: 5_000 });
    return stdout === "found\n";
  }

  test.each([
    ["baton ", "check*say what is wrong"],
    ["baton check --", "--strict*warnings fail"],
    ["baton check --explain ", "advert_int"],
    ["baton check --color ", "always"],
    ["baton keywords --block ", "vrrp_instance"],
    ["baton plan ", "a*file.conf"],
  ])("%s", (line, wanted) => expect(offers(line, wanted)).toBe(true));
});
