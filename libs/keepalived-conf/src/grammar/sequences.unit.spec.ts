// Grammar section 11: sequences and lists. Each case was put to keepalived 2.4.3.
import { describe, expect, test } from "vitest";
import { linesOf, readLines } from "../testing/read-lines.ts";

const counted = (...values: (number | string)[]): string[] => values.map((value) => `a ${value}`);

describe("~SEQ", () => {
  test.each([
    ["~SEQ(N, 3) a $N", counted(1, 2, 3)],
    ["~SEQ(N, 1) a $N", counted(1)],
    ["~SEQ(N, 0) a $N", counted(1, 0)],
    ["~SEQ(N, -1) a $N", counted(-1)],
    ["~SEQ(N, -3) a $N", counted(-1, -2, -3)],
    ["~SEQ(N, 3, 1) a $N", counted(3, 2, 1)],
    ["~SEQ(N, 2, 2) a $N", counted(2)],
    ["~SEQ(N, -1, 1) a $N", counted(-1, 0, 1)],
    ["~SEQ(N, 1, 2, 6) a $N", counted(1, 3, 5)],
    ["~SEQ(N, 6, -2, 1) a $N", counted(6, 4, 2)],
    ["~SEQ(N, 3, 5, 3) a $N", counted(3)],
    ["~SEQ(N, 0x10, 0x11) a $N", counted(16, 17)],
    ["~SEQ(N, 010, 011) a $N", counted(8, 9)],
    ["~SEQ(N, +1, +2) a $N", counted(1, 2)],
    ["~SEQ ( N , 1 , 2 ) a $N", counted(1, 2)],
    ["~SEQ(N, 2)a $N", counted(1, 2)],
    ["$E=2\n~SEQ(N, $E) a $N", counted(1, 2)],
    ["$S=1\n$E=2\n~SEQ(N, $S, §{E}) a $N", counted(1, 2)],
    // What keepalived lets pass: a number that is missing is 0, and anything stands for the first comma.
    ["~SEQ(N, ) a $N", counted(1, 0)],
    ["~SEQ(N, , 2) a $N", counted(0, 1, 2)],
    ["~SEQ(N 23) a $N", counted(1, 2, 3)],
  ])("%j", (text, lines) => expect(readLines(text)).toMatchObject({ lines, codes: [] }));

  test.each([
    ["~SEQx(N, 9, 11) a $N", counted(9, "a", "b")],
    ["~SEQx(N, 0xfe, 0x100) a $N", counted("fe", "ff", 100)],
    ["~SEQx(N, 0) a $N", counted(1, 0)],
  ])("%j is hexadecimal", (text, lines) => expect(linesOf(text)).toEqual(lines));

  test.each([
    "~SEQ(N, 1, 0, 3) a",
    "~SEQ(N, 1, -1, 3) a",
    "~SEQ(N, 3, 1, 1) a",
    "~SEQ(N) a",
    "~SEQ(, 3) a",
    "~SEQ({N}, 3) a",
    "~SEQ(N, 1",
    "~SEQ N, 1) a",
    "~SEQ(N, x) a",
    "~SEQ(N, 1x) a",
    "~SEQ(N, 08) a",
    "~SEQ(N, 1 2) a",
    "~SEQ(N, 1, 2, 3, 4) a",
    "~SEQx(N, -1) a",
    "~SEQx(N, 1, -1) a",
    "~SEQy(N, 1) a",
    `~SEQ(N, 1,${" ".repeat(60)}2) a`,
    "~SEQ",
  ])("%j is none", (text) => {
    expect(readLines(text)).toMatchObject({ lines: [], codes: ["sequence"], classes: ["general-error"] });
  });

  test("its numbers may take 62 characters", () => {
    expect(linesOf(`~SEQ(N, 1,${" ".repeat(59)}2) a`)).toEqual(["a", "a"]);
  });
});

describe("~LST", () => {
  test.each([
    ["~LST(N, x, y) a $N", counted("x", "y")],
    ["~LST(N,x) a $N", counted("x")],
    ["~LST(N, ) a $N b", ["a  b"]],
    ["~LST(N, {x}, y) a $N", counted("x", "y")],
    ["~LST({N}, {x}, {y}) a $N", counted("x", "y")],
    ["~LST ( { N , M } , { x , 1 } , { y , 2 } ) a $N $M", counted("x 1", "y 2")],
    ["~LST({N, M}, {x, 1}, {y}) a $N $M", counted("x 1", "y")],
    ["~LST({N, M}, {x, 1}, z) a §{N}-§{M}", counted("x-1", "z-")],
    ["~LST({N, M}, {, 1}) a §{N}-§{M}", counted("-1")],
  ])("%j", (text, lines) => expect(readLines(text)).toMatchObject({ lines, codes: [] }));

  test.each([
    "~LST(N) a",
    "~LST() a",
    "~LST(N, x",
    "~LST(N, x y) a",
    "~LST(N, x} y) a",
    "~LST({N, M}, {x, y, z}) a",
    "~LST({N, M}, {x y}) a",
    "~LST({N, M}, {x, y) a",
    "~LST({N M}, {x}) a",
    "~LST{N, x} a",
    "~LST",
  ])("%j is none", (text) => {
    expect(readLines(text)).toMatchObject({ lines: [], codes: ["sequence"], classes: ["general-error"] });
  });
});

describe("templates", () => {
  test.each([
    ["~SEQ(A, 2) ~SEQ(B, 2) §{A}§{B}", ["11", "12", "21", "22"]],
    ["~SEQ(A, 2) ~LST(B, x, y) §{A}§{B}", ["1x", "1y", "2x", "2y"]],
    ["~SEQ(A, 2) ~SEQ(B, $A) §{A}§{B}", ["11", "21", "22"]],
    ["~SEQ(N, 2) b { c $N }", ["b", "{", "c 1", "}", "b", "{", "c 2", "}"]],
    ["~SEQ(N, 2) $V$N=x\n$V1", ["$V$N=x", "$V$N=x", "$V1"]],
    ["~SEQ(N, 2) $L=$N\n$L", ["2"]],
    ["~SEQ(N, 2)\na", ["a"]],
    ["~SEQ(N, 2) a $N\nb $N", ["a 1", "a 2", "b 2"]],
    ["a ~SEQ(N, 2) b", ["a ~SEQ(N, 2) b"]],
    ["~SEC(N, 2) b", ["~SEC(N, 2) b"]],
  ])("%j", (text, lines) => expect(linesOf(text)).toEqual(lines));

  test("one over a billion ends, and nothing of it is used", () => {
    const { codes, lines } = readLines("~SEQ(N, 1000000000) a\nb");
    expect(codes).toEqual(["too-much"]);
    expect(lines.at(-1)).toBe("a");
  }, 60_000);

  test("one that can include", () => {
    const files = { main: "~SEQ(N, 2) include d/$N\nz", "d/1": "a $N", "d/2": "b $N" };
    expect(readLines(files).lines).toEqual(["a 1", "b 2", "z"]);
  });
});
