// The files in which a machine names numbers, with their directories and comments.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { numberNames } from "./number-names.ts";

const root = mkdtempSync(join(tmpdir(), "baton-names-"));
afterAll(() => rmSync(root, { recursive: true }));

function lookUp(files: Readonly<Record<string, string>>) {
  const base = mkdtempSync(join(root, "case-"));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(base, name)), { recursive: true });
    writeFileSync(join(base, name), text);
  }
  return numberNames({ iproute2: [join(base, "etc"), join(base, "usr")], protocols: join(base, "protocols") });
}

describe("names of iproute2", () => {
  test("one to a line, with comments", () => {
    const names = lookUp({ "etc/rt_tables": "# tables\n100 guests # wlan\n\t0x65\thex\n010 octal\n" });
    expect(["guests", "hex", "octal", "wlan"].map((name) => names("rt_tables", name))).toEqual([
      100,
      101,
      8,
      undefined,
    ]);
  });

  test("lines that say something else are passed over", () => {
    const names = lookUp({ "etc/rt_protos": "x word\n-1 minus\n5 two names\n6\n7 right\n" });
    expect(["word", "minus", "two", "right"].map((name) => names("rt_protos", name))).toEqual([
      undefined,
      undefined,
      undefined,
      7,
    ]);
  });

  test("the first of a name counts", () => {
    expect(lookUp({ "etc/group": "1 uplinks\n2 uplinks\n" })("group", "uplinks")).toBe(1);
  });

  test("the administrator's file takes the place of the distribution's", () => {
    const names = lookUp({ "etc/rt_scopes": "7 ours", "usr/rt_scopes": "8 theirs", "usr/rt_realms": "9 theirs" });
    expect([names("rt_scopes", "ours"), names("rt_scopes", "theirs"), names("rt_realms", "theirs")]).toEqual([
      7,
      undefined,
      9,
    ]);
  });

  test("so does each part in a directory", () => {
    const names = lookUp({
      "usr/rt_tables.d/a.conf": "1 a-theirs",
      "usr/rt_tables.d/b.conf": "2 b-theirs",
      "etc/rt_tables.d/a.conf": "3 a-ours",
      "etc/rt_tables.d/c.txt": "4 no-part",
      "etc/rt_tables.d/.d.conf": "5 hidden",
    });
    const found = ["a-theirs", "b-theirs", "a-ours", "no-part", "hidden"].map((name) => names("rt_tables", name));
    expect(found).toEqual([undefined, 2, 3, undefined, undefined]);
  });

  test("no file, no names", () => {
    expect(lookUp({})("rt_dsfield", "EF")).toBeUndefined();
  });
});

test("protocols have aliases", () => {
  const names = lookUp({ protocols: "tcp\t6\tTCP\t# transmission control\nrsvp 46 RSVP\n" });
  expect(["tcp", "TCP", "RSVP", "nothing"].map((name) => names("protocols", name))).toEqual([6, 6, 46, undefined]);
});
