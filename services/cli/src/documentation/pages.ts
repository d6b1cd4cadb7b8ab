// Pages of the manual that are made of the program: by path in the repository.
import { keywordTable, lintPage } from "@baton/keepalived-conf";
import { keywordsPage } from "./keywords-page.ts";

export const pages = (): Readonly<Record<string, string>> => ({
  "docs/keywords.md": keywordsPage(keywordTable()),
  "docs/lint.md": lintPage(),
});
