import { keywordTable } from "@baton/keepalived-conf";
import { expect, test } from "vitest";
import { keywordsPage } from "./keywords-page.ts";

const rows = keywordTable();
const page = keywordsPage(rows);
const linesOf = (prefix: string): string[] => page.split("\n").filter((line) => line.startsWith(prefix));

test("it has each keyword, in a section for each block", () => {
  expect(linesOf("| `")).toHaveLength(rows.length);
  expect(linesOf("## ")).toHaveLength(new Set(rows.map(({ block }) => block)).size + 1);
});

test("it counts the levels of support", () => {
  const works = rows.filter(({ kind, support }) => kind === "keyword" && support === "works").length;
  const keywords = rows.filter(({ kind }) => kind === "keyword").length;
  expect(page).toMatch(new RegExp(`^\\| keywords \\| ${works} \\| \\d+ \\| \\d+ \\| ${keywords} \\|$`, "m"));
});

test("every row has as many cells as its table", () => {
  const cells = (line: string): number => line.replaceAll("\\|", "").split("|").length - 2;
  for (const line of linesOf("| `")) expect(cells(line), line).toBe(5);
});

test("each block is linked to its section", () => {
  const titles = linesOf("## ").map((line) =>
    line
      .slice(3)
      .toLowerCase()
      .replaceAll(/[^\w -]/g, "")
      .replaceAll(" ", "-"),
  );
  const links = [...page.matchAll(/\]\(#([^)]*)\)/g)].map(([, anchor]) => anchor);
  expect(links.toSorted()).toEqual(titles.filter((title) => title !== "blocks").toSorted());
});
