#!/usr/bin/env node
// The `baton-fleet` command. A file of its own, outside dist/, so that npm can link it before the first build.
import { existsSync } from "node:fs";

const main = new URL("../dist/main.js", import.meta.url);
if (existsSync(main)) {
  await import(main.href);
} else {
  console.error("baton-fleet is not built yet: run `sh deploy/bootstrap` (or `npm run build`) first.");
  process.exitCode = 1;
}
