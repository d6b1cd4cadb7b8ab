// npm run oracle -- [--keepalived PATH] [--only TEXT] [--files N] [--seed N] [--shrink] [--json]: every disagreement with a
// keepalived on the sample cases; or, with --files, on so many random files from the seed on.
import { parseArgs } from "node:util";
import { sampleCases } from "@baton/keepalived-conf/testing";
import { randomFile } from "./random-file.ts";
import { shrink } from "./shrink.ts";
import { type Configuration, type Judged, judgeAll } from "./trial.ts";

const { values } = parseArgs({
  options: {
    keepalived: { type: "string", default: "/usr/sbin/keepalived" },
    files: { type: "string", default: "0" },
    seed: { type: "string", default: "1" },
    only: { type: "string", default: "" },
    shrink: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
  },
});
const seed = Number(values.seed);
const all: Configuration[] =
  values.files === "0" ? sampleCases() : Array.from({ length: Number(values.files) }, (_, i) => randomFile(seed + i));
const cases = all.filter(({ name }) => name.includes(values.only));
const judged = await judgeAll(values.keepalived, cases);
const disagreements = judged.filter(({ difference }) => difference !== undefined);
for (const each of disagreements) {
  const shown = values.shrink ? await shrink(values.keepalived, each) : each;
  process.stdout.write(`${values.json ? asJson(shown) : inWords(shown)}\n`);
}
process.stderr.write(`${cases.length} configurations, ${disagreements.length} disagreements\n`);
process.exitCode = disagreements.length === 0 ? 0 : 1;

function inWords({ configuration, difference, verdict }: Judged<Configuration>): string {
  const messages = [...new Set(verdict.messages)].slice(0, 4).map((message) => `    ${message}`);
  const text = values.shrink ? [configuration.text] : [];
  return [configuration.name, `  ${difference}`, ...messages, ...text].join("\n");
}

function asJson({ configuration, difference, verdict, diagnostics }: Judged<Configuration>): string {
  const ours = diagnostics.filter(({ errorClass }) => errorClass !== "ok");
  return JSON.stringify({
    name: configuration.name,
    text: values.shrink ? configuration.text : undefined,
    difference,
    messages: verdict.messages,
    ours: ours.map(({ line, code, message }) => `${line}: ${code} ${message}`),
  });
}
