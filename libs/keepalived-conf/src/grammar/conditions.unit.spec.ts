// Grammar section 9: lines for some nodes only. Each case was put to keepalived 2.4.3, with -i r1.
import { expect, test } from "vitest";
import { instance, parse } from "../testing/parse.ts";
import { linesOf } from "../testing/read-lines.ts";

test.each([
  ["@r1 a", ["a"]],
  ["@r1\ta", ["a"]],
  ["@r1 \t a b", ["a b"]],
  ["@r2 a", []],
  ["@^r1 a", []],
  ["@^r2 a", ["a"]],
  ["@r1", []],
  ["@^r2", []],
  ["@r1x a", []],
  ["@R1 a", []],
  ["@ a", []],
  ["@^ a", ["a"]],
  ["x @r1 a", ["x @r1 a"]],
  // One prefix a line.
  ["@r1 @r1 a", ["@r1 a"]],
  ["@r1 $X=1\n@r2 $X=2\n$X", ["1"]],
  ["@r1 ~SEQ(N, 2) a $N", ["a 1", "a 2"]],
  ["~SEQ(N, 2) @r$N a $N", []],
  ["~SEQ(N, 2) @r1 a $N", ["a 1", "a 2"]],
  ["@r1 a { b }", ["a", "{", "b", "}"]],
  ["a { @r2 b\nc }", ["a", "{", "c", "}"]],
  // In the lines of a definition they count where it is used.
  ["$M=a \\\n@r1 b \\\n@r2 c \\\nd\n$M", ["a", "b", "d"]],
  // Since 2.4.0 what a value brings is no condition.
  ["$X=@r1\n$X a", ["@r1 a"]],
])("%j", (text, lines) => expect(linesOf(text)).toEqual(lines));

test("the node is the one of -i, else the host name up to its first dot", () => {
  const text = instance("@r1 priority 11\n@other priority 12\n@r1.example.net priority 13");
  const priority = (configId?: string) => parse(text, { configId }).config?.instances[0]?.priority;
  expect(priority()).toBe(11);
  expect(priority("other")).toBe(12);
  expect(priority("r1.example.net")).toBe(13);
});
