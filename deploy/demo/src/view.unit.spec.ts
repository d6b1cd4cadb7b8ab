import { expect, test } from "vitest";
import { standingText, View } from "./view.ts";

const standing = {
  states: [
    ["r1", "master"],
    ["r2", ""],
  ],
  probes: { sent: 12_350, answered: 12_345, lost: 5, by: "r1" },
} as const;

function screen(isTerminal: boolean): { isTerminal: boolean; write(text: string): void; text: string } {
  return {
    isTerminal,
    text: "",
    write(text) {
      this.text += text;
    },
  };
}

test("who is master, and how the probes fare", () => {
  expect(standingText(standing)).toBe("r1 MASTER   r2 …   │ 12,345 probes answered, 5 lost, r1 answers");
  expect(standingText({ ...standing, probes: { sent: 1, answered: 0, lost: 1, by: "" } })).toMatch(
    /1 lost, nobody answers$/,
  );
});

test("on a terminal the standing stays below the lines", () => {
  const terminal = screen(true);
  const view = new View(terminal);
  view.line("first");
  view.standing(standing);
  view.line("second");
  view.close();
  view.line("last");
  const shown = standingText(standing);
  expect(terminal.text).toBe(`first\n${shown}\r\u001b[2Ksecond\n${shown}\r\u001b[2Klast\n`);
});

test("the standing never wraps", () => {
  const terminal = { ...screen(true), columns: 20 };
  new View(terminal).standing(standing);
  expect(terminal.text).toBe(standingText(standing).slice(0, 19));
  const unknown = { ...screen(true), columns: 0 };
  new View(unknown).standing(standing);
  expect(unknown.text).toBe(standingText(standing));
});

test("elsewhere there are lines alone", () => {
  const pipe = screen(false);
  const view = new View(pipe);
  view.standing(standing);
  view.heading("title");
  view.line("a line");
  expect(pipe.text).toBe("\ntitle\na line\n");
});
