import { describe, expect, test } from "vitest";
import { lintFindings } from "../../testing/lint.ts";
import { instance } from "../../testing/parse.ts";

/** Which of the files others may read. */
const told = (lines: string, ...readable: readonly string[]) =>
  lintFindings(instance(`priority 100\n${lines}`), [], {
    fileStatus: (path) =>
      path === "/gone" ? undefined : { mode: readable.includes(path) ? 0o644 : 0o660, userId: 0, groupId: 0 },
  }).map(({ line, message }) => `${line} ${message}`);

const main = "keepalived.conf";
const password = "authentication {\nauth_type PASS\nauth_pass hunter1\n}";
const hmac = (...keys: readonly string[]) => `auth_hmac {\n${keys.join("\n")}\nactive_key 1\n}`;

describe("a secret that others may read", () => {
  test.each<[string, string, readonly string[], string[]]>([
    ["a password", password, [main], ["8 everybody may read keepalived.conf, and here is a password"]],
    ["a password, for root alone", password, [], []],
    ["no password", "", [main], []],
    [
      "a key",
      hmac(`key 1 ${"a".repeat(32)}`),
      [main],
      ["7 everybody may read keepalived.conf, and here is a password"],
    ],
    [
      "the first of several",
      hmac(`key 1 ${"a".repeat(32)}`, `key 2 ${"b".repeat(32)}`),
      [main],
      ["7 everybody may read keepalived.conf, and here is a password"],
    ],
    [
      "a key in a file",
      hmac("key 1 file:/etc/key"),
      [main, "/etc/key"],
      ["7 everybody may read /etc/key, and it holds a key"],
    ],
    ["a key in a file, for root alone", hmac("key 1 file:/etc/key"), [main], []],
    ["a key in a file that is not there", hmac("key 1 file:/gone"), [main], []],
    ["half a key", hmac("key", "key 1"), [main], []],
  ])("%s", (_what, lines, readable, expected) => expect(told(lines, ...readable)).toEqual(expected));
});
