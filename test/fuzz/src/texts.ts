// Files that people have, to begin with: the *.conf of a folder.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** In the order of their names; none without a folder. */
export function readTexts(folder: string): string[] {
  if (folder === "") return [];
  const names = readdirSync(folder).filter((name) => name.endsWith(".conf"));
  return names.sort().map((name) => readFileSync(join(folder, name), "latin1"));
}
