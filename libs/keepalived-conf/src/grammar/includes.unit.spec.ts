// Grammar section 8: includes. Each case was put to keepalived 2.4.3.
import { describe, expect, test } from "vitest";
import { exitCodeOf } from "../diagnostics.ts";
import type { FileError } from "../source/include.ts";
import type { FileText } from "../source/octets.ts";
import { parse } from "../testing/parse.ts";
import { linesOf, readLines } from "../testing/read-lines.ts";

describe("what is an include line", () => {
  test.each([
    ["include x", ["1"]],
    ["include\tx", ["1"]],
    ["include \t x", ["1"]],
    ["include x # y", ["1"]],
    ["a { include x }", ["a", "{"]],
    ["a {\ninclude x\n}", ["a", "{", "1", "}"]],
    ["@r1 include x", ["1"]],
    ["$F=x\ninclude $F", ["1"]],
    ["$I=include x\n$I", ["1"]],
    ["a\u0020include x", ["a include x"]],
    [
      "included x\nincludes x\nincludemm x\ninclude\nInclude x",
      ["included x", "includes x", "includemm x", "include", "Include x"],
    ],
  ])("%j", (text, lines) => expect(readLines({ main: text, x: "1" }).lines).toEqual(lines));

  test.each(["", "r", "m", "w", "b", "a"])("include%s", (letter) => {
    expect(readLines({ main: `a\ninclude${letter} x\nb`, x: "1" })).toMatchObject({
      lines: ["a", "1", "b"],
      codes: [],
    });
  });

  test("quotes are a part of the name", () => {
    const { problems } = readLines({ main: 'include "x"', x: "1" });
    expect(problems).toMatchObject([{ code: "include-skipped", hint: expect.stringContaining("quotes") }]);
  });
});

describe("files", () => {
  test("are read in place, nested, and relative to the file that names them", () => {
    const files = { main: "a\ninclude d/one\nz", "d/one": "b\ninclude two\nc", "d/two": "x { y", two: "no" };
    const { lines, places } = readLines(files);
    expect(lines).toEqual(["a", "b", "x", "{", "y", "c", "z"]);
    expect(places).toEqual(["main:1", "d/one:1", "d/two:1", "d/two:1", "d/two:1", "d/one:3", "main:3"]);
  });

  test("of a pattern are sorted, and read one after another", () => {
    const files = {
      main: "include d/*.conf\nz",
      "d/b.conf": "2",
      "d/a.conf": "1\ninclude c.txt",
      "d/c.txt": "3",
      "d/.h.conf": "4",
    };
    expect(readLines(files).lines).toEqual(["1", "3", "2", "z"]);
    expect(readLines({ ...files, main: "include d/{c.txt,b.*}" }).lines).toEqual(["3", "2"]);
  });

  test("with blanks in their names", () => {
    expect(readLines({ main: "include a b", "a b": "1" }).lines).toEqual(["1"]);
  });

  test("named on the command line may be several", () => {
    const { lines, classes } = readLines({ "*.conf": "not a pattern", "a.conf": "1", "b.conf": "2" });
    expect(lines).toEqual(["not a pattern", "1", "2"]);
    expect(classes).toEqual(["multiple-files"]);
  });

  test("share definitions, and braces", () => {
    expect(readLines({ main: "$A=1\ninclude x\n$A $B", x: "$A=2\n$B=3\na {" }).lines).toEqual(["a", "{", "2 3"]);
  });
});

describe("what is an error", () => {
  const kinds: Readonly<Record<string, FileError["kind"]>> = {
    directory: "directory",
    run: "executable",
    pipe: "unreadable",
    huge: "too-large",
  };
  const readFile =
    (main: string) =>
    (path: string): FileText | FileError =>
      path === "main"
        ? { text: `${main}\nz` }
        : path === "x" || path === "d/x"
          ? { text: "1" }
          : Object.hasOwn(kinds, path)
            ? { error: "no", kind: kinds[path] }
            : { error: "no such file" };
  const listDirectory = (path: string): string[] | undefined => (path === "d" ? ["x"] : undefined);
  /** Which of include, includer, … complain. */
  const complain = (pattern: string): string =>
    ["", "r", "m", "w", "b", "a"]
      .filter((letter) =>
        readLines("", { readFile: readFile(`include${letter} ${pattern}`), listDirectory }).classes.includes(
          "file-not-found",
        ),
      )
      .map((letter) => letter || "-")
      .join("");

  test.each([
    ["x", ""],
    ["none", "mwa"],
    ["none/x", "mwa"],
    ["none/*", "mwa"],
    ["d/none*", "wa"],
    ["d/[y]", "wa"],
    ["{x,none}", "ba"],
    ["{none,never}", "ba"],
    ["{d/x,d/y*}", ""],
    ["d/{y,z}*", "wa"],
    ["{none/*,x}", "ba"],
    ["directory", "rmwba"],
    ["run", "rmwba"],
    ["pipe", "rmwba"],
    ["huge", "rmwba"],
    ["{x,run}", "rmwba"],
    [`${"{a,b}".repeat(12)}`, "rmwba"],
  ])("%s: %s", (pattern, letters) => expect(complain(pattern)).toBe(letters));

  test.each([
    ["include {x,none}", ["1", "z"]],
    ["includem {x,none}", ["1", "z"]],
    // With brace_match in force nothing of the pattern is read.
    ["includeb {x,none}", ["z"]],
    ["include {x,run}", ["1", "z"]],
    ["includer {x,run}", ["1", "z"]],
  ])("%s", (line, lines) => expect(readLines("", { readFile: readFile(line), listDirectory }).lines).toEqual(lines));

  test("what goes on without it is told all the same", () => {
    expect(readLines("include none").problems).toMatchObject([
      { code: "include-skipped", severity: "warning", place: { line: 1, text: "none" } },
    ]);
    expect(readLines("include *.none", { listDirectory: () => [] }).problems).toMatchObject([
      { code: "include-skipped", severity: "info" },
    ]);
  });

  test("the file itself has to be there", () => {
    const { problems } = readLines("", { readFile: () => ({ error: "no such file" }) });
    expect(problems).toMatchObject([{ code: "file-not-found", place: { file: "main", line: 0 } }]);
  });
});

describe("include_check", () => {
  const exit = (files: string | Record<string, string>) => exitCodeOf(parse(files).diagnostics);
  const check = (words: string, include: string) => `global_defs {\n include_check ${words}\n}\n${include}\n`;
  test.each([
    ["", "include none", 6],
    ["", "include {none,x}", 6],
    ["match", "include none", 6],
    ["match", "include {none,x}", 0],
    ["brace_match", "include {none,x}", 6],
    ["brace_match", "include none", 0],
    ["wildcard_match", "include none", 0],
    ["+match", "include none", 6],
    ["match -match", "include none", 0],
    ["match +brace_match", "include {none,x}", 6],
    ["-match", "includem none", 6],
    ["foo", "include x", 5],
    ["+foo", "include x", 5],
    ["read match", "include x", 5],
    ["read match", "include none", 5],
    ["match foo", "include none", 6],
  ])("%s: %s exits %i", (words, include, code) => {
    const text = check(words, include);
    expect(exit({ main: text, x: "" })).toBe(code);
  });

  test("is in force up to the end of its file", () => {
    expect(exit({ main: "include sub\ninclude none", sub: "global_defs {\n include_check\n}\n" })).toBe(0);
    expect(exit({ main: check("", "include sub"), sub: "include none" })).toBe(6);
    expect(
      exit({ main: `${check("", "include sub")}include none`, sub: "global_defs {\n include_check -match\n}\n" }),
    ).toBe(6);
  });
});

describe("what never ends", () => {
  test("a file that includes itself is not read again", () => {
    expect(readLines("a\ninclude main").codes).toEqual(["include-cycle"]);
    const { codes, lines } = readLines({
      main: "include x\ninclude x\nz",
      x: "include y/../main\na",
      "y/../main": "another name of the first",
    });
    expect(codes).toEqual(["include-cycle", "include-cycle"]);
    expect(lines).toEqual(["a", "a", "z"]);
  });

  test("a file that two others include is read twice", () => {
    expect(readLines({ main: "include a\ninclude b", a: "include c", b: "include c", c: "1" }).lines).toEqual([
      "1",
      "1",
    ]);
  });

  test("files that include each other in ever new names, or twice as many each time, end", () => {
    const readFile = (path: string): FileText => ({ text: `include ${path}x` });
    expect(readLines("", { readFile }).codes).toEqual(["too-much"]);
    const doubling = (path: string): FileText => ({ text: `include ${path}a\ninclude ${path}b` });
    expect(readLines("", { readFile: doubling }).codes).toEqual(["too-much"]);
    const half = { text: `${"#".repeat(1000)}\n`.repeat(1000) };
    const large = Array.from({ length: 40 }, () => "include x").join("\n");
    expect(readLines("", { readFile: (path) => (path === "x" ? half : { text: large }) }).codes).toContain("too-much");
  });
});

test("each file is asked for once, whoever reads it", () => {
  const asked: string[] = [];
  const files: Readonly<Record<string, string>> = { main: "include x\ninclude x", x: "foo" };
  parse("", {
    file: "main",
    readFile: (path) => {
      asked.push(path);
      return { text: files[path] ?? "" };
    },
  });
  expect(asked).toEqual(["main", "x"]);
});

test("the lines of an included file are told with its name", () => {
  const { diagnostics } = parse({ main: "include x\nfoo", x: "\nbar" });
  expect(diagnostics.filter(({ code }) => code === "unknown-keyword")).toMatchObject([
    { file: "main", line: 2, text: "foo" },
    { file: "x", line: 2, text: "bar" },
  ]);
  expect(linesOf("a")).toEqual(["a"]);
});
