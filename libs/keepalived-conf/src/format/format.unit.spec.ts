import { describe, expect, test } from "vitest";
import { formatConfig, formatOctets } from "./format.ts";

const formatted = (...lines: readonly string[]): string[] => {
  const { text, diagnostics } = formatConfig(lines.join("\n"), "k.conf");
  expect(diagnostics).toEqual([]);
  expect(formatConfig(text).text, "a second time").toBe(text);
  expect(text === "" || text.endsWith("\n")).toBe(true);
  return text.split("\n").slice(0, -1);
};

describe("layout", () => {
  test("blocks, braces and blanks", () => {
    expect(
      formatted(
        "",
        "vrrp_instance   VI_1",
        "{",
        "\tstate  MASTER",
        "",
        "",
        "  virtual_ipaddress{ 192.0.2.1/24   dev eth0 }   ",
        "      }",
        "",
      ),
    ).toEqual([
      "vrrp_instance VI_1 {",
      "    state MASTER",
      "",
      "    virtual_ipaddress {",
      "        192.0.2.1/24 dev eth0",
      "    }",
      "}",
    ]);
  });

  test("an empty file stays empty", () => {
    expect(formatted("")).toEqual([]);
    expect(formatted("", " \t", "")).toEqual([]);
  });

  test("line ends and marks of other systems go", () => {
    expect(formatted("\uFEFFglobal_defs {\r", "router_id x\r", "}\r")).toEqual([
      "global_defs {",
      "    router_id x",
      "}",
    ]);
  });

  test("what stands in double quotes is not touched", () => {
    expect(formatted("vrrp_script a {", ' script   "/bin/a   {  # b"  ', "}")[1]).toBe('    script "/bin/a   {  # b"');
  });

  test("unknown keywords and stray words stay", () => {
    expect(formatted("nonsense  1", "a { b  { c } }")).toEqual([
      "nonsense 1",
      "a {",
      "    b {",
      "        c",
      "    }",
      "}",
    ]);
  });
});

describe("comments stay where they stand", () => {
  test.each([
    [
      ["# a", "x", "  ! b", "y"],
      ["# a", "x", "! b", "y"],
    ],
    [
      ["a {", "# in", "}", "# out"],
      ["a {", "    # in", "}", "# out"],
    ],
    [["a    #   why  "], ["a #   why"]],
    [
      ["a{#why", "}# end"],
      ["a { #why", "}" + " # end"],
    ],
    [
      ["a # one", "{", "}"],
      ["a { # one", "}"],
    ],
    [
      ["a", "{ # one", "}"],
      ["a { # one", "}"],
    ],
    [
      ["a # one", "{ # two", "}"],
      ["a # one", "{ # two", "}"],
    ],
    [
      ["a", "# between", "{", "}"],
      ["a", "# between", "{", "}"],
    ],
    [["a { b } # c"], ["a { # c", "    b", "}"]],
    [
      ["a { b", "} c # d"],
      ["a {", "    b", "}", "c # d"],
    ],
  ])("%j", (lines, expected) => expect(formatted(...lines)).toEqual(expected));
});

describe("a line whose text matters keeps it", () => {
  test.each([
    ["definition", "$A=1  2 { 3"],
    ["use", "priority   $A"],
    ["use in braces", "router_id   $" + "{A}  x"],
    ["condition", "@main   priority  100"],
    ["sequence", "~SEQ(i,  3)  a{  }"],
    ["include", "include   /etc/{a,b}/*.conf"],
    ["include without a name", "include{  }"],
    ["escape", "a  \\#  b"],
    ["single quotes", "notify  '/bin/a  b'"],
    ["open quote", 'a  "b  { c'],
    ["other separators", "a \f b"],
  ])("%s", (_what, line) => {
    expect(formatted(`   ${line}  `)).toEqual([line.includes("\\") ? `${line}  ` : line]);
    expect(formatted("a {", line, "}")).toEqual(["a {", `    ${line}`, "}"]);
  });

  test("a definition of several lines", () => {
    const lines = ["$A=vrrp_instance x {   \\", "   priority  1 \\", "", "b   c"];
    expect(formatted(...lines)).toEqual([...lines.slice(0, 3), "b c"]);
  });

  test("a brace is not put behind the use of a definition", () => {
    expect(formatted("a $B", "{", "}")).toEqual(["a $B", "{", "}"]);
  });

  test("alternatives for several nodes share a brace", () => {
    expect(formatted("@a  x {", "@b y {", "p  1", "@a }", "@b  }", "z")).toEqual([
      "@a  x {",
      "@b y {",
      "    p 1",
      "@a }",
      "@b  }",
      "z",
    ]);
    expect(formatted("@^a x {", "@a y {", "p", "}")).toEqual(["@^a x {", "@a y {", "    p", "}"]);
  });

  test("long lines", () => {
    const just = `a ${"b".repeat(1015)}`;
    expect(formatted("x {", just, "}")).toEqual(["x {", `    ${just}`, "}"]);
    const full = `a  ${"b".repeat(1017)}`;
    expect(formatted("x {", full, "}")).toEqual(["x {", full, "}"]);
    const cut = `   a  ${"b".repeat(1017)}`;
    expect(formatted("x {", cut, "}")).toEqual(["x {", cut, "}"]);
  });
});

describe("a file whose braces do not balance is left as it is", () => {
  test.each([
    ["a {\n  b {\n}", 1, "this '{' is never closed"],
    ["a {\n}\n  }\n", 3, "this '}' closes nothing"],
    ["@a {\n@b {\n}\n}", 4, "this '}' closes nothing"],
  ])("%j", (text, line, reason) => {
    const result = formatConfig(text, "k.conf");
    expect(result.text).toBe(text);
    expect(result.diagnostics).toMatchObject([
      { file: "k.conf", line, severity: "error", code: "unbalanced-braces", errorClass: "ok" },
    ]);
    expect(result.diagnostics[0]?.message).toBe(`the file is left as it is: ${reason}`);
  });
});

describe("octets in any encoding", () => {
  const octets = (...parts: readonly (string | readonly number[])[]): Uint8Array =>
    Uint8Array.from(parts.flatMap((part) => (typeof part === "string" ? [...new TextEncoder().encode(part)] : part)));
  const gbk = [0xc4, 0xe3, 0xba, 0xc3];

  test("stay as they are", () => {
    expect(formatOctets(octets("# ", gbk, "\na{\n b # héllo ", gbk, "\n}"))).toEqual({
      octets: octets("# ", gbk, "\na {\n    b # héllo ", gbk, "\n}\n"),
      diagnostics: [],
    });
  });
  test("but for a byte-order mark", () => {
    expect(formatOctets(octets([0xef, 0xbb, 0xbf], "a\n")).octets).toEqual(octets("a\n"));
    expect(formatOctets(octets([0xef, 0xbb], "a\n")).octets).toEqual(octets([0xef, 0xbb], "a\n"));
  });
  test("are the same ones where nothing can be done", () => {
    const broken = octets([0xef, 0xbb, 0xbf], "a {");
    expect(formatOctets(broken, "k.conf")).toMatchObject({ octets: broken, diagnostics: [{ file: "k.conf" }] });
  });
  test("of a mebibyte are no trouble", () => {
    const large = octets("# x\n".repeat(262_144));
    expect(Buffer.compare(formatOctets(large).octets, large)).toBe(0);
  });
});
