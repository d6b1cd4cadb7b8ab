import { describe, expect, test } from "vitest";
import { lintTold } from "../../testing/lint.ts";
import { instance } from "../../testing/parse.ts";

const script = 'vrrp_script chk {\nscript "/bin/true"\nweight 10\n}\n';
const tracked = (lines: string) => `${script}${instance(`${lines}\ntrack_script {\nchk\n}`)}`;

describe.each<[string, string, string, string[]]>([
  ["equal", "priority 100", "priority 100", ["equal-priorities 5"]],
  ["equal by default", "", "", ["equal-priorities 1"]],
  ["equal, nopreempt on one side", "priority 100\nnopreempt", "priority 100", ["equal-priorities 5"]],
  ["equal, nopreempt on both sides", "priority 100\nnopreempt", "priority 100\nnopreempt", []],
  ["MASTER above", "state MASTER\npriority 110", "state BACKUP\npriority 100", []],
  ["MASTER below", "state MASTER\npriority 90", "state BACKUP\npriority 100", ["master-below-backup 5"]],
  ["BACKUP above", "state BACKUP\npriority 100", "state MASTER\npriority 90", ["master-below-backup 5"]],
  ["MASTER below nopreempt", "state MASTER\npriority 90", "priority 100\nnopreempt", []],
  ["two MASTERs", "state MASTER\npriority 110", "state MASTER\npriority 100", ["several-masters 5"]],
  ["nopreempt below", "priority 90\nnopreempt", "priority 100", ["nopreempt-without-effect 6"]],
  ["nopreempt above", "priority 100\nnopreempt", "priority 90", []],
  ["nopreempt on both sides", "priority 90\nnopreempt", "priority 100\nnopreempt", []],
])("%s", (_what, own, other, expected) => {
  test(`${own} against ${other}`, () => expect(lintTold(instance(own), [instance(other)])).toEqual(expected));
});

test("nopreempt above one of two", () => {
  const own = instance("priority 100\nnopreempt");
  expect(lintTold(own, [instance("priority 110"), instance("priority 90")])).toEqual([]);
});

describe("what trackers add while all is well counts", () => {
  test("for equality", () => {
    expect(lintTold(tracked("priority 90"), [instance("priority 100")])).toEqual(["equal-priorities 9"]);
    expect(lintTold(tracked("priority 100"), [instance("priority 105")])).toEqual([]);
  });
  test("for the order", () => {
    expect(lintTold(tracked("state MASTER\npriority 95"), [instance("priority 100")])).toEqual([]);
    expect(lintTold(tracked("priority 95\nstate BACKUP"), [instance("state MASTER\npriority 100")])).toEqual([
      "master-below-backup 10",
    ]);
  });
  test("and makes nopreempt useful on either side", () => {
    expect(lintTold(tracked("priority 80\nnopreempt"), [instance("priority 100")])).toEqual([
      "weight-without-effect 12",
    ]);
  });
});

describe("state MASTER without a priority", () => {
  test.each([
    ["state MASTER", ["master-without-priority 5"]],
    ["state MASTER\npriority 255", []],
    ["state MASTER\npriority 100", []],
    ["state BACKUP", []],
  ])("%j", (lines, expected) => expect(lintTold(instance(lines))).toEqual(expected));
});
