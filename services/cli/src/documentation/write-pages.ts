// `npm run docs`: writes the pages that are made of the program.
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { pages } from "./pages.ts";

const repository = join(import.meta.dirname, "../../../..");

for (const [path, text] of Object.entries(pages())) {
  const file = join(repository, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}
