import { describe, expect, test } from "vitest";
import { exitCodeOf, isFatal } from "../diagnostics.ts";
import { codes, parse } from "../testing/parse.ts";

function resolve(lines: string) {
  const result = parse(`virtual_server_group g {\n${lines}\n}`);
  const said = codes(result)
    .map((code) => code.replace(/ .*/, ""))
    .filter((code) => code !== "accepted");
  return [result.config?.virtualServerGroups[0]?.entries, said];
}

const range = (first: string, last = first, port = 80) => [{ kind: "range", first, last, port }];

describe("entries", () => {
  test.each<[string, object[] | undefined, string[]]>([
    ["10.0.0.1 80", range("10.0.0.1"), []],
    ["10.0.0.1", range("10.0.0.1", "10.0.0.1", 0), []],
    ["10.0.0.1 00", range("10.0.0.1", "10.0.0.1", 0), []],
    ["10.0.0.1 80 whatever", range("10.0.0.1"), []],
    ["10.0.0.1 80x", range("10.0.0.1"), ["invalid-number"]],
    ["10.0.0.1 65536", undefined, ["empty-group", "invalid-number"]],
    ["10.0.0.1-255 80", range("10.0.0.1", "10.0.0.255"), []],
    ["10.0.0.1-256 80", undefined, ["empty-group", "invalid-value"]],
    ["10.0.0.5-5 80", undefined, ["empty-group", "invalid-value"]],
    ["10.0.0.1-5x 80", range("10.0.0.1", "10.0.0.5"), ["invalid-number"]],
    ["10.0.0.1-10.0.1.9 80", range("10.0.0.1", "10.0.1.9"), []],
    ["10.0.0.9-10.0.0.1 80", undefined, ["empty-group", "invalid-value"]],
    ["10.0.0.9-::1 80", undefined, ["empty-group", "invalid-value"]],
    ["10.0.0.0/24 80", range("10.0.0.0", "10.0.0.255"), []],
    ["10.0.0.128/25 80", range("10.0.0.128", "10.0.0.255"), []],
    ["10.0.0.1/32 80", range("10.0.0.1"), []],
    ["10.0.0.1/24 80", undefined, ["empty-group", "invalid-value"]],
    ["10.0.0.0/33 80", undefined, ["empty-group", "invalid-value"]],
    ["2001:db8::1-ff 80", range("2001:db8::1", "2001:db8::ff"), []],
    ["2001:db8::1-10000 80", undefined, ["empty-group", "invalid-value"]],
    ["2001:db8::1-2001:db8::2:0 80", range("2001:db8::1", "2001:db8::2:0"), ["wide-range"]],
    ["2001:db8::/120 80", range("2001:db8::", "2001:db8::ff"), []],
    ["2001:db8:8000::/33 80", range("2001:db8:8000::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"), ["wide-range"]],
    ["2001:db8::1/128 80", range("2001:db8::1"), []],
    ["nowhere 80", undefined, ["empty-group", "invalid-value"]],
    ["fwmark 5", [{ kind: "fwmark", mark: 5, family: undefined }], []],
    // keepalived takes it, and the kernel does not.
    ["fwmark 0", [{ kind: "fwmark", mark: 0, family: undefined }], ["no-mark"]],
    ["fwmark 5 inet6", [{ kind: "fwmark", mark: 5, family: 6 }], []],
    ["fwmark 5 inet more", [{ kind: "fwmark", mark: 5, family: 4 }], []],
    ["fwmark 5x", [{ kind: "fwmark", mark: 5, family: undefined }], ["invalid-number"]],
    ["fwmark 4294967296", undefined, ["empty-group", "invalid-number"]],
    ["fwmark 5 ipv4", undefined, ["empty-group", "invalid-value"]],
    ["", undefined, ["empty-group"]],
  ])("%j", (lines, entries, said) => expect(resolve(lines)).toEqual([entries, said]));
});

test("a wrong line does not take the others with it", () => {
  expect(resolve("nowhere\n10.0.0.1 80\nfwmark x\n10.0.0.2 80")).toEqual([
    [...range("10.0.0.1"), ...range("10.0.0.2")],
    ["invalid-value", "invalid-number"],
  ]);
});

test("both families, and a mark of either, are too many", () => {
  expect(resolve("10.0.0.1 80\nfe80::1 80\nfwmark 5")).toEqual([undefined, ["group-family"]]);
  expect(resolve("10.0.0.1 80\nfwmark 6 inet6\nfwmark 5 inet")[1]).toEqual([]);
});

test("a fwmark without a number ends it all", () => {
  const { diagnostics } = parse("virtual_server_group g {\nfwmark\n}");
  expect([isFatal(diagnostics), exitCodeOf(diagnostics)]).toEqual([true, 2]);
});

test("of two with one name the first counts", () => {
  const result = parse("virtual_server_group g {\n10.0.0.1 80\n}\nvirtual_server_group g {\n10.0.0.2 80\n}");
  expect(result.config?.virtualServerGroups).toEqual([{ name: "g", entries: range("10.0.0.1") }]);
  expect(codes(result)).toContain("duplicate-group 4:1");
});

test("keepalived ends where something else than a brace follows the name", () => {
  const exits = (text: string) => parse(text).diagnostics.find(({ errorClass }) => errorClass === "missing-parameter");
  expect(exits("virtual_server_group g h {\n10.0.0.1 80\n}")).toMatchObject({ code: "surplus-words", column: 24 });
  expect(exits("virtual_server_group g\n10.0.0.1 80\n}")).toMatchObject({ code: "missing-open-brace", line: 2 });
});
