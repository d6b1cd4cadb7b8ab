// The table against keepalived's own list of keywords, and against itself.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type KeywordInfo, keywordTable, root } from "./root.ts";
import type { BlockSpec } from "./table.ts";

const list = join(import.meta.dirname, "../../../../../shared/keepalived/keywords.tsv");
const present = existsSync(list);
if (!present) console.warn("SKIPPED: ../shared/keepalived/keywords.tsv is not there");

const keyOf = ({ block, keyword }: KeywordInfo): string => `${block} ${keyword}`.trim();

const theirs = (kind: KeywordInfo["kind"]): string[] =>
  readFileSync(list, "utf8")
    .trim()
    .split("\n")
    .slice(1)
    .map((row) => row.split("\t"))
    .filter((columns) => columns[9] === kind)
    .map(([block, keyword]) => `${block === "(root)" ? "" : block} ${keyword}`.trim())
    .toSorted();

const ours = (kind: KeywordInfo["kind"]): string[] =>
  keywordTable()
    .filter((row) => row.kind === kind)
    .map(keyOf)
    .toSorted();

test.skipIf(!present)("every keyword of keepalived 2.4.3 is known, in its block, and no other", () => {
  expect(ours("keyword")).toEqual(theirs("keyword"));
});

test.skipIf(!present)("so is every word of the value blocks, and every construct of a file", () => {
  expect(ours("option")).toEqual(theirs("option"));
});

describe("the table", () => {
  const rows = keywordTable();

  test("has each keyword of a block once", () => {
    expect(new Set(rows.map(keyOf)).size).toBe(rows.length);
  });

  test("says what happens instead wherever something is not carried out", () => {
    for (const row of rows.filter(({ support }) => support !== "works")) expect(row.note, keyOf(row)).not.toBe("");
  });

  test("names only keywords that exist as what somebody may have meant", () => {
    const check = (block: BlockSpec): void => {
      const names = [...Object.values(block.keywords), ...block.blocks].map(({ name }) => name);
      for (const meant of Object.values(block.misnomers)) expect(names).toContain(meant);
      for (const wrong of Object.keys(block.misnomers)) expect(names).not.toContain(wrong);
      block.blocks.forEach(check);
    };
    check(root);
  });

  test("shows syntax, range and default", () => {
    const find = (key: string) => rows.find((row) => keyOf(row) === key);
    expect(find("vrrp_instance advert_int")).toMatchObject({
      syntax: "SECS",
      range: "0.01 to 255 s",
      default: "1",
      support: "works",
    });
    expect(find("vrrp_instance virtual_ipaddress")).toMatchObject({ syntax: "{ … }" });
    expect(find("vrrp_instance")).toMatchObject({ syntax: "NAME { … }" });
    expect(find("virtual_server.real_server.HTTP_GET nb_get_retry")).toMatchObject({
      deprecated: "write retry",
      alias: "retry",
    });
  });
});
