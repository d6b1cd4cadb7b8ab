// npm run oracle -- [--keepalived PATH] [--only TEXT] [--json]: every disagreement with a keepalived.
import { parseArgs } from "node:util";
import { sampleCases } from "@baton/keepalived-conf/testing";
import { type Judged, judgeAll } from "./trial.ts";

const { values } = parseArgs({
  options: {
    keepalived: { type: "string", default: "/usr/sbin/keepalived" },
    only: { type: "string", default: "" },
    json: { type: "boolean", default: false },
  },
});
const cases = sampleCases().filter(({ name }) => name.includes(values.only));
const judged = await judgeAll(values.keepalived, cases);
const disagreements = judged.filter(({ difference }) => difference !== undefined);
for (const each of disagreements) process.stdout.write(`${values.json ? asJson(each) : inWords(each)}\n`);
process.stderr.write(`${cases.length} configurations, ${disagreements.length} disagreements\n`);
process.exitCode = disagreements.length === 0 ? 0 : 1;

function inWords({ configuration, difference, verdict }: Judged<(typeof cases)[number]>): string {
  const messages = [...new Set(verdict.messages)].slice(0, 4);
  return [configuration.name, `  ${difference}`, ...messages.map((message) => `    ${message}`)].join("\n");
}

function asJson({ configuration, difference, verdict, diagnostics }: Judged<(typeof cases)[number]>): string {
  const ours = diagnostics.filter(({ errorClass }) => errorClass !== "ok");
  return JSON.stringify({
    name: configuration.name,
    difference,
    messages: verdict.messages,
    ours: ours.map(({ line, code, message }) => `${line}: ${code} ${message}`),
  });
}
