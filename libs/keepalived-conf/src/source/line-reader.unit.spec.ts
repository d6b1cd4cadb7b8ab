import { describe, expect, test } from "vitest";
import type { Problem } from "../report.ts";
import type { TestFiles } from "../testing/parse.ts";
import type { FileError } from "./include.ts";
import { type LineReaderOptions, openLines } from "./line-reader.ts";
import type { FileText } from "./octets.ts";

interface Read {
  readonly lines: readonly string[];
  readonly places: readonly string[];
  readonly problems: readonly Problem[];
  readonly codes: readonly string[];
}

/** `§{` in the texts stands for the brace form of a definition: a template string is something else. */
const withDollars = (text: string): string => text.replaceAll("§{", "\u0024{");

function read(files: string | TestFiles, options: Partial<LineReaderOptions> = {}): Read {
  const all: TestFiles = typeof files === "string" ? { main: files } : files;
  const problems: Problem[] = [];
  const reader = openLines({
    file: Object.keys(all)[0] ?? "",
    directory: "",
    configId: "r1",
    env: { HOME: "/home/x" },
    seed: "r1",
    readFile: (path) => {
      const text = all[path];
      return text === undefined ? { error: "no such file" } : { text: withDollars(text) };
    },
    listDirectory: (path) => namesIn(path, Object.keys(all)),
    report: (problem) => problems.push(problem),
    ...options,
  });
  const lines: string[] = [];
  const places: string[] = [];
  for (let line = reader.next(); line !== undefined; line = reader.next()) {
    lines.push(line.text.value);
    places.push(`${line.file}:${line.line}`);
  }
  return { lines, places, problems, codes: problems.map(({ code }) => code) };
}

/** Of the directories that the names of files make. */
function namesIn(directory: string, paths: readonly string[]): string[] | undefined {
  const prefix = directory === "" ? "" : `${directory}/`;
  const names = paths.filter((path) => path.startsWith(prefix)).map((path) => path.slice(prefix.length).split("/")[0]);
  return names.length === 0 ? undefined : [...new Set(names)].filter((name) => name !== undefined);
}

const linesOf = (text: string): readonly string[] => read(text).lines;

describe("physical lines", () => {
  test("CRLF, blank lines and a missing last newline", () => {
    expect(linesOf("a\r\n\r\n \t b \t\r\n\nc")).toEqual(["a", "b", "c"]);
  });

  test("a byte-order mark is dropped and reported", () => {
    const { lines, codes } = read("\uFEFF! comment\na");
    expect(lines).toEqual(["a"]);
    expect(codes).toEqual(["byte-order-mark"]);
  });

  test("a line with a NUL octet is dropped whole", () => {
    const { lines, codes } = read("a\nb\0 c\nd");
    expect(lines).toEqual(["a", "d"]);
    expect(codes).toEqual(["nul-octet"]);
  });

  test("1022 octets fit, of 1023 the first 1023 are lost", () => {
    const word = "x".repeat(1022);
    expect(linesOf(`${word}\nb`)).toEqual([word, "b"]);
    const { lines, codes } = read(`${word}yz\nb`);
    expect(lines).toEqual(["z", "b"]);
    expect(codes).toEqual(["line-too-long"]);
  });

  test("the limit counts octets, not characters", () => {
    expect(read(`${"检".repeat(340)}\n`).codes).toEqual([]);
    expect(read(`${"检".repeat(341)}\n`).codes).toEqual(["line-too-long"]);
  });

  test("octets that are no UTF-8 matter outside of comments only", () => {
    const foreign = new Set([1]);
    expect(read("", { readFile: () => ({ text: "a # \xe9", foreign }) }).codes).toEqual([]);
    const { problems } = read("", { readFile: () => ({ text: "a \xe9", foreign }) });
    expect(problems).toMatchObject([{ code: "encoding", place: { line: 1, column: 3 } }]);
  });
});

describe("comments", () => {
  test.each([
    ["a # b", ["a"]],
    ["a ! b", ["a"]],
    ["a#b", ["a"]],
    ['a "# b" ! c', ['a "# b"']],
    ["a '# b'", ["a '"]],
    ["a \\# b", ["a"]],
    ["a \\! b", ["a"]],
    ["a \\\\ b", ["a \\\\ b"]],
    ['a "\\# b"', ['a "\\# b"']],
    ["a \\n b", ["a \\n b"]],
    ["# only", []],
    ["a \\", ["a\\"]],
    ["失败 #失败检测几次", ["失败"]],
  ])("%j", (text, expected) => expect(linesOf(text)).toEqual(expected.map(withDollars)));

  test("a quote that stays open is reported where it stands", () => {
    expect(read(' a "b').problems[0]).toMatchObject({ code: "open-quote", place: { line: 1, column: 4 } });
  });
});

describe("braces", () => {
  test.each([
    ["a { b }", ["a", "{", "b", "}"]],
    ["a{b}c", ["a", "{", "b", "}", "c"]],
    ["}{", ["}", "{"]],
    ['a "{" b', ['a "{" b']],
    ["a '{' b", ["a '", "{", "' b"]],
    ['a "{', ['a "{']],
  ])("%j", (text, expected) => expect(linesOf(text)).toEqual(expected.map(withDollars)));
});

describe("conditions", () => {
  test.each([
    ["@r1 a", ["a"]],
    ["@r2 a", []],
    ["@^r1 a", []],
    ["@^r2 a", ["a"]],
    ["@r1", []],
    ["@r1x a", []],
    ["@r1 @r1 a", ["@r1 a"]],
  ])("%j", (text, expected) => expect(linesOf(text)).toEqual(expected.map(withDollars)));

  test("a value that looks like a condition is none", () => {
    expect(linesOf("$X=@r1\n$X a")).toEqual(["@r1 a"]);
  });
});

describe("definitions", () => {
  test.each([
    ["$A=1\n§{A}", ["1"]],
    ["$A=1\n$A", ["1"]],
    ["$A=1\nx $A y", ["x 1 y"]],
    ["$A=1\nx$A,y", ["x1,y"]],
    ["$A=1\nx($A)", ["x(1)"]],
    ["$A=1\n$Ab", ["$Ab"]],
    ["$A=1\n$A.b", ["$A.b"]],
    ["$A=1\n§{A}.b", ["1.b"]],
    ['$A=1\n"$A"', ['"$A"']],
    ['$A=1\n"§{A}"', ['"1"']],
    ["$A=  1 2 \n$A", ["1 2"]],
    ["$A=\nx $A", ["x"]],
    ["$A=1\n$A=2\n$A", ["2"]],
    ["$A=$B\n$B=2\n$A", ["2"]],
    ["$A =1\nx", ["$A =1", "x"]],
    ["$1=1\n$1", ["$1=1", "$1"]],
    ["a §{X} b", ["a $", "{", "X", "}", "b"]],
    ['a "§{X}" b', ['a "§{X}" b']],
    ["a §{_HASH} b", ["a"]],
    ['a "§{_HASH}§{_BANG}" b', ['a "#!" b']],
    ["a §{_ENV HOME}", ["a /home/x"]],
    ["a §{_ENV NOWHERE} b", ["a  b"]],
    ["a §{_INSTANCE}", ["a r1"]],
    ["$A=x { y }\n$A", ["x", "{", "y", "}"]],
  ])("%j", (text, expected) => expect(linesOf(text)).toEqual(expected.map(withDollars)));

  test("predefined names can be defined anew", () => {
    expect(linesOf("$_INSTANCE=x\n§{_INSTANCE}")).toEqual(["x"]);
  });

  test("_PWD is the directory of the file", () => {
    const files = { "etc/main": "a §{_PWD}\ninclude sub/b", "etc/sub/b": "b §{_PWD}" };
    expect(read(files).lines).toEqual(["a etc", "b etc/sub"]);
  });

  test("_RANDOM stays within its bounds and the same on one node", () => {
    const text = Array.from({ length: 50 }, () => "§{_RANDOM 3 5}").join("\n");
    const drawn = linesOf(text);
    expect([...new Set(drawn)].toSorted()).toEqual(["3", "4", "5"]);
    expect(linesOf(text)).toEqual(drawn);
    expect(read(text, { seed: "r2" }).lines).not.toEqual(drawn);
    expect(read("§{_RANDOM x}").codes).toEqual(["definition-parameters"]);
  });

  test("multi-line definitions come in place of a name that ends its line", () => {
    const text = "$A= \\\n  one \\\n\n$B=x \\\ntwo §{C} \\\nthree\n$C=c\n@r1 zero $B\n$A";
    expect(linesOf(text)).toEqual(["zero x", "two c", "three", "one"]);
  });

  test("a multi-line definition inside another", () => {
    const text = "$IN=i1 \\\ni2\n$OUT=o1 \\\n$IN \\\no2\n$OUT";
    expect(linesOf(text)).toEqual(["o1", "i1", "i2", "o2"]);
  });

  test("a comment ends a multi-line definition", () => {
    expect(linesOf("$A=a \\\n# b \\\nc\n$A")).toEqual(["c", "a"]);
  });

  test("a definition that uses itself ends", () => {
    for (const text of ["$A=$A\n$A", "$A=x§{A}\n§{A}", "$A=§{B}\n$B=§{A}\n§{A}"]) {
      expect(read(text).codes).toEqual(["definition-too-long"]);
    }
  });

  test("a multi-line definition that uses itself ends", () => {
    for (const text of ["$A=a \\\n$A \\\nb\n$A", "$A=a \\\n~SEQ(N, 1) $A \\\nb\n$A"]) {
      expect(new Set(read(text).codes)).toEqual(new Set(["nested-too-deep"]));
    }
  });

  test("the environment has no members but its own", () => {
    expect(linesOf("a §{_ENV constructor} b")).toEqual(["a  b"]);
  });

  test("the column is that of the use", () => {
    const reader = read("$A=abcdef\n x $A { y");
    expect(reader.lines).toEqual(["x abcdef", "{", "y"]);
  });
});

describe("sequences", () => {
  test.each([
    ["~SEQ(N, 3) a $N", ["a 1", "a 2", "a 3"]],
    ["~SEQ(N, 0) a $N", ["a 1", "a 0"]],
    ["~SEQ(N, -2) a $N", ["a -1", "a -2"]],
    ["~SEQ(N, 3, 1) a $N", ["a 3", "a 2", "a 1"]],
    ["~SEQ(N, 1, 2, 6) a $N", ["a 1", "a 3", "a 5"]],
    ["~SEQ(N, 0x10, 0x11) a $N", ["a 16", "a 17"]],
    ["~SEQx(N, 9, 11) a $N", ["a 9", "a a", "a b"]],
    ["$E=2\n~SEQ(N, $E) a $N", ["a 1", "a 2"]],
    ["~SEQ(A, 2) ~SEQ(B, 2) §{A}§{B}", ["11", "12", "21", "22"]],
    ["~SEQ(N, 2) b { c $N }", ["b", "{", "c 1", "}", "b", "{", "c 2", "}"]],
    ["~LST(N, x, y) a $N", ["a x", "a y"]],
    ["~LST({N, M}, {x, 1}, {y}) a $N $M", ["a x 1", "a y"]],
    ["~LST({N, M}, {x, 1}, z) §{N}-§{M}", ["x-1", "z-"]],
    ["@r1 ~SEQ(N, 2) a $N", ["a 1", "a 2"]],
  ])("%j", (text, expected) => expect(linesOf(text)).toEqual(expected.map(withDollars)));

  test.each([
    "~SEQ(N, 1, 0, 3) a",
    "~SEQ(N, 1, -1, 3) a",
    "~SEQ(N) a",
    "~SEQ(N, 1",
    "~SEQ N, 1) a",
    "~SEQ(N, x) a",
    "~SEQx(N, -1) a",
    "~LST(N) a",
    "~LST({N, M}, {x, y, z}) a",
    "~LST(N, x",
  ])("%j is no sequence", (text) => {
    const { lines, codes } = read(text);
    expect(lines).toEqual([]);
    expect(codes).toEqual(["sequence"]);
  });

  test("the variable keeps its last value", () => {
    expect(linesOf("~SEQ(N, 2) a $N\nb $N")).toEqual(["a 1", "a 2", "b 2"]);
  });

  test("a sequence over a billion ends", () => {
    const { codes, lines } = read("~SEQ(N, 1000000000) a\nb");
    expect(codes).toEqual(["too-much"]);
    expect(lines.length).toBeGreaterThan(1000);
  });
});

describe("includes", () => {
  test("in place, nested and relative to the file that names them", () => {
    const files = { main: "a\ninclude d/one\nz", "d/one": "b\ninclude two\nc", "d/two": "x { y" };
    const { lines, places } = read(files);
    expect(lines).toEqual(["a", "b", "x", "{", "y", "c", "z"]);
    expect(places).toEqual(["main:1", "d/one:1", "d/two:1", "d/two:1", "d/two:1", "d/one:3", "main:3"]);
  });

  test("patterns: braces and wildcards, sorted", () => {
    expect(read({ main: "include d/*", "d/a": "1", "d/b": "2" }).lines).toEqual(["1", "2"]);
    expect(read({ main: "include d/{b,a}", "d/a": "1", "d/b": "2" }).lines).toEqual(["2", "1"]);
  });

  test.each([
    ["include none", "include-skipped"],
    ["includer none", "include-skipped"],
    ["includem none", "file-not-found"],
    ["includew none", "file-not-found"],
    ["includea none", "file-not-found"],
    ["include none/*", "include-skipped"],
    ["includew none/*", "file-not-found"],
    ["includeb {none,main2}", "file-not-found"],
    ["includem {none,main2}", "include-skipped"],
  ])("%s: %s", (line, code) => {
    const { problems, lines } = read({ main: `${line}\nz`, main2: "" });
    expect(problems.map((problem) => problem.code)).toEqual([code]);
    expect(lines).toEqual(["z"]);
  });

  test("what is no readable file is an error where reading counts", () => {
    const readFile = (path: string): FileText | FileError =>
      path === "main" ? { text: "include d\nincluder d" } : { error: "is a directory", kind: "directory" };
    expect(read("", { readFile }).codes).toEqual(["include-skipped", "file-not-found"]);
  });

  test("includes and included are no include lines", () => {
    expect(linesOf("included x\nincludes y\ninclude")).toEqual(["included x", "includes y", "include"]);
  });

  test("a file that includes itself ends", () => {
    expect(read("a\ninclude main").codes).toEqual(["include-cycle"]);
    const { codes, lines } = read({
      main: "include x\ninclude x\nz",
      x: "include y/../main\na",
      "y/../main": "another name of the first",
    });
    expect(codes).toEqual(["include-cycle", "include-cycle"]);
    expect(lines).toEqual(["a", "a", "z"]);
  });

  test("the file itself has to be there", () => {
    const { problems } = read("", { readFile: () => ({ error: "no such file" }) });
    expect(problems).toMatchObject([{ code: "file-not-found", place: { file: "main", line: 0 } }]);
  });

  test("a sequence can include", () => {
    expect(read({ main: "~SEQ(N, 2) include d/$N\nz", "d/1": "a $N", "d/2": "b $N" }).lines).toEqual([
      "a 1",
      "b 2",
      "z",
    ]);
  });
});
