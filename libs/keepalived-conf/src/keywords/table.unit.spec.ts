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

  test("is whole: 531 keywords and 270 words of value blocks", () => {
    expect(rows.filter(({ kind }) => kind === "keyword")).toHaveLength(531);
    expect(rows.filter(({ kind }) => kind === "option")).toHaveLength(270);
  });

  test("says of each row what it means, where it stands, who carries it out, and how far", () => {
    const services = new Set([
      "parser",
      "supervisor",
      "control",
      "election",
      "health",
      "dataplane",
      "balancer",
      "notifier",
    ]);
    const blocks = new Set(rows.map((row) => (row.block === "" ? row.keyword : `${row.block}.${row.keyword}`)));
    for (const row of rows) {
      const { meaning, keyword, block, service, support } = row;
      expect([keyOf(row), /^\S.*\.$/s.test(meaning)]).toEqual([keyOf(row), true]);
      expect(keyword).toMatch(/^\S/);
      expect([keyOf(row), block === "" || block === "(file)" || blocks.has(block)]).toEqual([keyOf(row), true]);
      expect([keyOf(row), services.has(service)]).toEqual([keyOf(row), true]);
      expect(["works", "accepted", "refused"]).toContain(support);
    }
  });

  test("shows no range without the words that it is of", () => {
    const wordless = rows.filter(({ block, syntax, range }) => block !== "(file)" && range !== "" && syntax === "");
    expect(wordless.map(keyOf)).toEqual([]);
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
