import { describe, expect, test } from "vitest";
import { lintFindings, lintTold } from "../../testing/lint.ts";
import { instance } from "../../testing/parse.ts";

/** Lines of a block of its own, priorities apart so that nothing else is told. */
const own = (lines = "", ...rest: [vrid?: number, address?: string]) =>
  instance(`priority 110\n${lines}`, "VI_1", ...rest);
const peer = (lines = "", ...rest: [vrid?: number, address?: string]) => instance(lines, "VI_1", ...rest);
const password = (text: string) => `authentication {\nauth_type PASS\nauth_pass ${text}\n}`;

describe("what has to be alike", () => {
  test.each<[string, string, string, string[]]>([
    ["versions", own("version 3"), peer("version 2"), ["different-versions 6"]],
    ["intervals of version 2", own("advert_int 2"), peer("advert_int 3"), ["different-intervals 6"]],
    ["intervals, one by default", own(), peer("advert_int 3"), ["different-intervals 1"]],
    ["intervals of version 3", own("version 3\nadvert_int 2"), peer("version 3"), []],
    ["passwords", own(password("a")), peer(password("b")), ["different-authentication 6"]],
    ["passwords that begin alike", own(password("abcdefgh1")), peer(password("abcdefgh2")), []],
    ["a password on one side", own(), peer(password("b")), ["different-authentication 1"]],
    ["a password on the other side", own(password("b")), peer(), ["different-authentication 6"]],
    ["checksums", own("version 3\nv3_checksum_as_v2"), peer("version 3"), ["different-checksums 7"]],
    ["checksums, on the other side", own("version 3"), peer("version 3\nv3_checksum_as_v2"), ["different-checksums 1"]],
    ["checksums of version 2", own("v3_checksum_as_v2"), peer(), []],
    ["all of it", own(password("b")), peer(password("b")), []],
  ])("%s", (_what, file, other, expected) => expect(lintTold(file, [other])).toEqual(expected));

  test("passwords are not repeated", () => {
    const findings = lintFindings(own(password("hunter1")), [peer(password("hunter2"))]);
    expect(findings[0]?.message).toBe("VI_1 and VI_1 of peer1.conf have different passwords: both would be master");
    expect(JSON.stringify(findings)).not.toContain("hunter");
  });
});

describe("addresses", () => {
  const more = (...addresses: string[]) => `virtual_ipaddress {\n${addresses.join("\n")}\n}`;
  test("missing on either side", () => {
    const findings = lintFindings(own(more("10.0.0.2", "10.0.0.3")), [peer(more("10.0.0.3", "10.0.0.4"))]);
    expect(findings).toMatchObject([{ code: "lint/different-addresses", line: 7 }]);
    expect(findings[0]?.message).toBe(
      "VI_1: 10.0.0.2 only here, 10.0.0.4 only in VI_1 of peer1.conf: gone when the other router is master",
    );
    expect(lintTold(own(), [peer(more("10.0.0.2"))])).toEqual(["different-addresses 4"]);
  });

  test("their order and their options do not matter", () => {
    const one = own(more("10.0.0.2/24 label eth0:1", "10.0.0.3"));
    expect(lintTold(one, [peer(more("10.0.0.3 dev eth1", "10.0.0.2"))])).toEqual([]);
  });

  test("excluded ones count: they have to move as well", () => {
    expect(lintTold(own("virtual_ipaddress_excluded {\n10.0.0.9\n}"), [peer()])).toEqual(["different-addresses 7"]);
    expect(lintTold(own("virtual_ipaddress_excluded {\n10.0.0.9\n}"), [peer(more("10.0.0.9"))])).toEqual([]);
  });

  test("many of them are counted", () => {
    const many = more(...Array.from({ length: 9 }, (_, index) => `10.0.1.${index}`));
    expect(lintFindings(own(many), [peer()])[0]?.message).toContain("10.0.1.3 and 5 more only here");
  });
});
