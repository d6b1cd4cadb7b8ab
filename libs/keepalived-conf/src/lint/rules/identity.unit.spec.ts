import { describe, expect, test } from "vitest";
import { lintFindings, lintTold } from "../../testing/lint.ts";
import { instance } from "../../testing/parse.ts";

/** Lines of a block of its own, priorities apart so that nothing else is told. */
const own = (lines = "", ...rest: [vrid?: number, address?: string]) =>
  instance(`priority 110\n${lines}`, "VI_1", ...rest);
const peer = (lines = "", ...rest: [vrid?: number, address?: string]) => instance(lines, "VI_1", ...rest);

describe("VRIDs", () => {
  test("one address in two virtual routers", () => {
    const findings = lintFindings(own("", 51), [peer("", 52)]);
    expect(findings).toMatchObject([{ code: "lint/different-vrids", line: 3 }]);
    expect(findings[0]?.message).toBe(
      "10.0.0.1 belongs to virtual router 51 here and to 52 in VI_1 of peer1.conf: both would be master of it",
    );
  });

  test("a link-local address may be anywhere", () => {
    expect(lintTold(own("", 51, "fe80::1"), [peer("", 52, "fe80::1")])).toEqual([]);
  });

  test.each<[string, string, string, string[]]>([
    ["on interfaces of one name", own("", 51, "10.0.0.1"), peer("", 51, "192.0.2.1"), ["vrid-collision 3"]],
    ["in one subnet", own("", 51, "10.0.0.1/24"), peer("interface eth7", 51, "10.0.0.2/24"), ["vrid-collision 3"]],
    ["in different subnets", own("", 51, "10.0.0.1/24"), peer("interface eth7", 51, "10.0.1.2/24"), []],
    ["of different families", own("", 51, "10.0.0.1"), peer("", 51, "2001:db8::1"), []],
    ["with a common address", own("", 51, "10.0.0.1"), peer("", 51, "10.0.0.1"), []],
  ])("two virtual routers with one VRID %s", (_what, file, other, expected) =>
    expect(lintTold(file, [other])).toEqual(expected),
  );
});

test("of several instances with the VRID the one with the same address is meant, then the one on the same interface", () => {
  const two = (first: string, second: string) =>
    instance(`priority 90\n${first}`, "A", 51, "10.0.0.1") + instance(`priority 90\n${second}`, "B", 51, "10.0.1.1");
  expect(lintTold(own("", 51, "10.0.1.1"), [two("advert_int 2", "interface eth1")])).toEqual([]);
  expect(lintTold(own("", 51, "10.0.1.1"), [two("", "interface eth1\nadvert_int 2")])).toEqual([
    "different-intervals 1",
  ]);
  expect(lintTold(own("", 51, "10.0.2.1"), [two("interface eth1", "")])).toEqual(["vrid-collision 3"]);
});

describe("a virtual router without a counterpart", () => {
  const second = instance("", "VI_2", 52, "10.0.0.2");
  test("is told where others have one", () => {
    const findings = lintFindings(own() + second, [peer()]);
    expect(findings).toMatchObject([{ code: "lint/no-counterpart", line: 8 }]);
    expect(findings[0]?.message).toBe("VI_2 (virtual router 52) has no counterpart in peer1.conf");
  });
  test("may have it in another file", () =>
    expect(lintTold(own() + second, [peer(), second.replace("52", "52\npriority 90")])).toEqual([]));
  test("is no news where the files share nothing", () => expect(lintTold(own(), [second])).toEqual([]));
  test("is told as what it is where the VRID is another one", () => {
    const other = instance("", "VI_2", 53, "10.0.0.2");
    expect(lintTold(own() + second, [peer() + other])).toEqual(["different-vrids 10"]);
  });
});
