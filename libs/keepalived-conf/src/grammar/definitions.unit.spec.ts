// Grammar section 10: definitions. Each case was put to keepalived 2.4.3.
import { describe, expect, test } from "vitest";
import { instance, parse } from "../testing/parse.ts";
import { linesOf, readLines, withDollars } from "../testing/read-lines.ts";

const x = (count: number): string => "x".repeat(count);

describe("defining", () => {
  test.each([
    ["$A=  1 2 \n$A", ["1 2"]],
    ["$_a9=1\n§{_a9}", ["1"]],
    ["$A=\nx $A", ["x"]],
    ["$A=1\n$A=2\n$A", ["2"]],
    ["$A=1 # x\n$A", ["1"]],
    ['$A="a # b"\n$A', ['"a # b"']],
    ["$A =1\nx", ["$A =1", "x"]],
    ["$1=1\n$1", ["$1=1", "$1"]],
    ["$A-b=1", ["$A-b=1"]],
    ["x $A=1", ["x $A=1"]],
    ["$A=x { y }\n$A", ["x", "{", "y", "}"]],
  ])("%j", (text, lines) => expect(linesOf(text)).toEqual(lines.map(withDollars)));

  test("in blocks that nobody reads too", () => {
    const { config } = parse(`nothing {\n$P=77\n}\n${instance("priority $P")}`);
    expect(config?.instances[0]?.priority).toBe(77);
  });
});

describe("using", () => {
  test.each([
    ["$A=1\n§{A}", ["1"]],
    ["$A=1\n$A", ["1"]],
    ["$A=1\nx $A y", ["x 1 y"]],
    ["$A=1\nx$A,y", ["x1,y"]],
    ["$A=1\nx($A)", ["x(1)"]],
    ["$A=1\nx $A\ty", ["x 1\ty"]],
    ["$A=1\n$Ab", ["$Ab"]],
    ["$A=1\n$A.b", ["$A.b"]],
    ["$A=1\n$A/b", ["$A/b"]],
    ["$A=1\n§{A}.b", ["1.b"]],
    ['$A=1\n"$A"', ['"$A"']],
    ['$A=1\n"§{A}"', ['"1"']],
    ["$A=1\n§{A }", ["1", "}"]],
    ["$A=1\n§{A x}", ["$", "{", "A x", "}"]],
    ["a $", ["a $"]],
    ["a $$ b", ["a $$ b"]],
    ["$A=1\n$$A", ["$1"]],
    ["$X y", ["$X y"]],
    // Again and again from the start of what came in.
    ["$A=$B\n$B=2\n$A", ["2"]],
    ["$A=§{B}C\n$B=$\n$BC=3\n$C=4\n$A", ["4"]],
    ["$A=$B\n$B=2\n$A x", ["2 x"]],
    ["$N=A\n$A=1\n§{§{N}}", ["$", "{", "A", "}"]],
  ])("%j", (text, lines) => expect(linesOf(text)).toEqual(lines.map(withDollars)));

  test("what starts with ~ ends it, and is no sequence", () => {
    expect(linesOf("$A=~SEQ(N, 2) b\n$B=2\n$A $B")).toEqual(["~SEQ(N, 2) b $B"]);
    expect(linesOf("$A=~x\n$B=2\n$B $A $B")).toEqual(["2 ~x $B"]);
  });

  test("the column is that of the use", () => {
    const { problems } = readLines('$A=abc "\nx $A');
    expect(problems.map(({ place }) => `${place.line}:${place.column}`)).toEqual(["1:8", "2:3"]);
  });
});

describe("the length of a line, and how deep definitions go", () => {
  test.each([
    ["1023 octets fit", `$A=${x(1000)}\n$A ${"y".repeat(22)}`, `${x(1000)} ${"y".repeat(22)}`],
    ["of 1024 the rest stays as it is", `$A=${x(1000)}\n$A ${"y".repeat(23)}`, `$A ${"y".repeat(23)}`],
    ["octets, not characters", `$A=${"检".repeat(333)}\n§{A}${x(25)}`, withDollars(`§{A}${x(25)}`)],
  ])("%s", (_what, text, line) => expect(linesOf(text).join("")).toBe(line));

  test.each(["$A=$A\n$A", "$A=x§{A}\n§{A}", "$A=§{B}\n$B=§{A}\n§{A}", "$A=x $A\ny $A z"])("%j ends", (text) => {
    expect(readLines(text).codes).toEqual(["definition-too-long"]);
  });

  test.each(["$A=a \\\n$A \\\nb\n$A", "$A=a \\\n~SEQ(N, 1) $A \\\nb\n$A", "$A=a \\\n$B\n$B=b \\\n$A\n$A"])(
    "%j ends",
    (text) => {
      expect(new Set(readLines(text).codes)).toEqual(new Set(["nested-too-deep"]));
    },
  );

  test("what doubles with each definition ends", () => {
    const doubling = Array.from({ length: 40 }, (_, i) => `$A${i}=§{A${i + 1}} \\\n§{A${i + 1}}`).join("\n");
    expect(readLines(`${doubling}\n$A40=x\n$A0`).codes).toEqual(["too-much"]);
    const long = `$A=${"$B,".repeat(300)}\n$B=\n${"$A\n".repeat(50_000)}`;
    expect(readLines(long).codes.at(-1)).toBe("too-much");
  }, 60_000);
});

describe("several lines", () => {
  test.each([
    ["$A=a \\\nb\n$A", ["a", "b"]],
    ["$A=a\\\nb\n$A", ["a", "b"]],
    ["$A=a \\\n  b  \\\n c\n$A", ["a", "b", "c"]],
    ["$A= \\\na \\\nb\n$A", ["a", "b"]],
    ["$A=\\\n\nb", ["b"]],
    ["$A=a \\\n\\\nb\n$A", ["a", "b"]],
    ["$A=a \\\n\nb\n$A", ["b", "a"]],
    ["$A=a \\\n \t\nb\n$A", ["b", "a"]],
    // With one line only it is an ordinary one.
    ["$A=\\\na\nx $A y", ["x a y"]],
    ["$A=\\\na \\\nb\nx $A y", ["x $A y"]],
    // It has to be the last on its line; what is before it goes before its first line.
    ["$A=a \\\nb\nx $A", ["x a", "b"]],
    ["$A=a \\\nb\nx §{A}", ["x a", "b"]],
    ["$A=a \\\nb\n$A x", ["$A x"]],
    ["$A=a { \\\nb }\n$A", ["a", "{", "b", "}"]],
    ["$A=a §{B} \\\nc\n$B=b\n$A", ["a b", "c"]],
    ["$A=$B=1 \\\n$B\n$A", ["$B=1", "$B"]],
    ["$A=a \\\n$B=1 \\\n$B\n$A", ["a", "1"]],
    ["$A=a \\\nb\n$A=c\n$A x", ["c x"]],
    // Inside each other.
    ["$I=i1 \\\ni2\n$O=o1 \\\n$I \\\no2\n$O\nz", ["o1", "i1", "i2", "o2", "z"]],
    ["$I=i1 \\\ni2\n$O=$I \\\no2\n$O\nz", ["i1", "i2", "o2", "z"]],
    ["$I=i1 \\\ni2\n$O=o1 \\\nx $I\n$O\nz", ["o1", "x i1", "i2", "z"]],
    ["$A=a \\\n~SEQ(N, 2) $N \\\nb\n$A\nz", ["a", "1", "2", "b", "z"]],
    ["$A=a$N \\\nb$N\n~SEQ(N, 2) $A\nz", ["a1", "b1", "a2", "b2", "z"]],
  ])("%j", (text, lines) => expect(linesOf(text)).toEqual(lines));

  test("one that its file does not end goes on in the file that includes it", () => {
    expect(readLines({ main: "include x\nb\n$A", x: "$A=a \\" }).lines).toEqual(["a", "b"]);
  });
});

describe("predefined", () => {
  test.each([
    ["a §{_ENV COLOUR}", ["a red"]],
    ["a §{_ENV NOWHERE} b", ["a  b"]],
    ["a §{_ENV constructor} b", ["a  b"]],
    ["a §{_INSTANCE}", ["a r1"]],
    ["a $_INSTANCE", ["a r1"]],
    ["a §{_INSTANCE x}", ["a $", "{", "_INSTANCE x", "}"]],
    ["a §{_PWD}", ["a /etc/test"]],
    ["$_INSTANCE=x\n§{_INSTANCE}", ["x"]],
    ["$_ENV=x\n§{_ENV}§{_ENV y}", ["xx"]],
    ["$_RANDOM=x\n§{_RANDOM 1 2}", ["x"]],
    ["§{_RANDOM 7 7}§{_RANDOM  7  7}", ["77"]],
    ["§{_RANDOM 7 7 }", ["$", "{", "_RANDOM 7 7", "}"]],
  ])("%j", (text, lines) => expect(linesOf(text)).toEqual(lines.map(withDollars)));

  test.each([
    ["§{_RANDOM x}", ["$", "{", "_RANDOM x", "}"]],
    ["§{_RANDOM 1 2 3}", ["$", "{", "_RANDOM 1 2 3", "}"]],
    ["§{_ENV a b}", ["$", "{", "_ENV a b", "}"]],
    ["§{_RANDOM 9 3}", ["9"]],
    ["§{_RANDOM 99999}", ["99999"]],
  ])("%j is an error", (text, lines) => {
    expect(readLines(text)).toMatchObject({ lines, classes: ["general-error"] });
  });

  test("_PWD is the directory of the file that is read", () => {
    const files = { "etc/main": "a §{_PWD}\ninclude sub/b\na §{_PWD}", "etc/sub/b": "b $_PWD" };
    expect(readLines(files).lines).toEqual(["a /etc/test/etc", "b /etc/test/etc/sub", "a /etc/test/etc"]);
    expect(readLines({ "/x/main": "§{_PWD}" }).lines).toEqual(["/x"]);
  });

  test("_RANDOM stays within its bounds, and the same on one node", () => {
    const text = Array.from({ length: 50 }, () => "§{_RANDOM 3 5}").join("\n");
    const drawn = linesOf(text);
    expect([...new Set(drawn)].toSorted()).toEqual(["3", "4", "5"]);
    expect(linesOf(text)).toEqual(drawn);
    expect(readLines(text, { seed: "r2" }).lines).not.toEqual(drawn);
    expect(Number(linesOf("§{_RANDOM}")[0])).toBeLessThanOrEqual(32_767);
  });
});

describe("what nobody defined is told where its braces count as those of a block", () => {
  const undefinedIn = (text: string): string[] =>
    parse(withDollars(text))
      .diagnostics.filter(({ code }) => code === "undefined-definition")
      .map(({ line, column, text: written, errorClass }) => `${line}:${column} ${written} ${errorClass}`);

  test.each([
    ["vrrp_instance V {\n  state §{STATE}\n  priority §{PRIO}\n}", ["2:9 §{STATE} ok", "3:12 §{PRIO} ok"]],
    ["$STATE=MASTER\nvrrp_instance V {\n  state §{STATE}\n}", []],
    ['vrrp_instance V {\n  notify "/n §{STATE}"\n}', []],
    ["vrrp_instance V {\n  # §{STATE}\n}", []],
    ["vrrp_instance V {\n  state §{9}\n}", []],
  ])("%j", (text, expected) => expect(undefinedIn(text)).toEqual(expected.map(withDollars)));
});
