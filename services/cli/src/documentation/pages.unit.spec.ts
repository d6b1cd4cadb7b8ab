import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { pages } from "./pages.ts";

const repository = join(import.meta.dirname, "../../../..");

test.each(Object.entries(pages()))("%s is what npm run docs writes", (path, text) => {
  expect(readFileSync(join(repository, path), "utf8") === text, "run npm run docs").toBe(true);
});
