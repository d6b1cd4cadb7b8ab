// Grammar section 5: braces. Each case was put to keepalived 2.4.3.
import { describe, expect, test } from "vitest";
import { exitCodeOf } from "../diagnostics.ts";
import { codes, instance, parse } from "../testing/parse.ts";
import { linesOf } from "../testing/read-lines.ts";

const names = (text: string) => parse(text).config?.instances.map(({ name }) => name);

describe("1: each is a line of its own", () => {
  test.each([
    ["a { b }", ["a", "{", "b", "}"]],
    ["a{b}c", ["a", "{", "b", "}", "c"]],
    ["}{", ["}", "{"]],
    ["{{ }} ", ["{", "{", "}", "}"]],
    ['a "{" b', ['a "{" b']],
    ['"a"{"b"}', ['"a"', "{", '"b"', "}"]],
    ["a '{' b", ["a '", "{", "' b"]],
    ['a "{', ['a "{']],
    // What follows a brace is read as a line.
    ["a { @r2 b", ["a", "{"]],
    ["a { $X=y\n$X", ["a", "{", "y"]],
    ["a { ~SEQ(N, 2) b", ["a", "{", "b", "b"]],
  ])("%j", (text, lines) => expect(linesOf(text)).toEqual(lines));

  test("so a block may be laid out in any way", () => {
    const inner = "interface eth0\nvirtual_router_id 1\nvirtual_ipaddress { 10.0.0.1 }";
    for (const text of [
      `vrrp_instance V {${inner}}`,
      `vrrp_instance V\n\n# x\n{ ${inner} }`,
      `vrrp_instance V{${inner}\n}`,
    ])
      expect(names(text), text).toEqual(["V"]);
    expect(names(`vrrp_instance V {${inner}} vrrp_sync_group G { group { V } }`)).toEqual(["V"]);
  });
});

describe("2: a block without its brace", () => {
  test("goes on all the same", () => {
    const text = "vrrp_instance V\n interface eth0\n virtual_router_id 5\n virtual_ipaddress {\n 10.0.0.1\n }\n}\n";
    const result = parse(text);
    expect(result.config?.instances[0]).toMatchObject({ name: "V", vrid: 5 });
    expect(codes(result)).toContain("missing-open-brace 2:2");
    expect(exitCodeOf(result.diagnostics)).toBe(5);
  });

  test("in quotes it is one, but does not count as one", () => {
    const quoted = parse(instance().replace("{", '\n"{"'));
    expect(quoted.config?.instances.map(({ name }) => name)).toEqual(["VI_1"]);
    expect(codes(quoted)).toEqual(["unexpected-close-brace 7:1"]);
  });
});

describe("3: value blocks", () => {
  test("a missing brace is only logged by keepalived", () => {
    const result = parse(instance("track_interface\n eth1\n }"));
    const found = result.diagnostics.map(({ code, errorClass }) => [code, errorClass]);
    expect(found).toContainEqual(["missing-open-brace", "ok"]);
    expect(found).toContainEqual(["unexpected-close-brace", "unexpected-close-brace"]);
    expect(result.config?.instances[0]?.trackInterfaces).toMatchObject([{ name: "eth1", weight: 0, reverse: false }]);
  });

  test("each line is an entry, but of groups each word", () => {
    const group = `vrrp_sync_group G {\ngroup { A B\nC }\n}\n`;
    const members = ["A", "B", "C"].map((name, i) => instance("", name, i + 1, `10.0.0.${i + 1}`)).join("");
    expect(parse(members + group).config?.syncGroups[0]?.members).toEqual(["A", "B", "C"]);
    const addresses = parse(instance("virtual_ipaddress {\n10.0.0.2 10.0.0.3\n}"));
    expect(exitCodeOf(addresses.diagnostics)).toBe(5);
  });
});

describe("4: too many and too few", () => {
  test.each([
    ["one more }", `${instance()}}\n`, ["unexpected-close-brace 7:1"]],
    ["one more {", `{\n${instance()}`, ["unexpected-open-brace 1:1", "missing-close-brace 1:1"]],
    [
      "} and {",
      `} {\n${instance()}`,
      ["unexpected-close-brace 1:1", "unexpected-open-brace 1:3", "missing-close-brace 1:3"],
    ],
  ])("%s", (_what, text, expected) => {
    const result = parse(text);
    expect(codes(result)).toEqual(expected);
    expect(exitCodeOf(result.diagnostics)).toBe(5);
  });

  test("an open block takes in what follows, for its own process", () => {
    const { config, diagnostics } = parse(
      `vrrp_instance V {\n interface eth0\n virtual_router_id 3\n${instance("", "W", 4)}`,
    );
    expect(config?.instances.map(({ name, addresses }) => [name, addresses.length])).toEqual([["V", 1]]);
    expect(exitCodeOf(diagnostics)).toBe(5);
  });
});

test("5: a definition that is not known falls apart at its braces, but in quotes", () => {
  expect(linesOf("a §{X} b")).toEqual(["a $", "{", "X", "}", "b"]);
  expect(linesOf('a "§{X}" b')).toEqual(['a "\u0024{X}" b']);
});
