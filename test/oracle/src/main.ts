// npm run oracle: all disagreements with a keepalived that no exception explains, and exceptions that explain nothing.
//
//   --keepalived PATH   another one than Debian's
//   --only TEXT         only what has the text in its name
//   --files N --seed N  so many random files, from the seed on, rather than the sample cases
//   --shrink            shortens random files as long as the two differ alike
//   --json              with all messages of both
import { parseArgs } from "node:util";
import { sampleCases } from "@baton/keepalived-conf/testing";
import { exceptionsFor, reasonsFor } from "./exceptions.ts";
import { randomFiles } from "./random-file.ts";
import { regressions } from "./regressions.ts";
import { shrink } from "./shrink.ts";
import { type Configuration, type Judged, judgeAll } from "./trial.ts";
import { isKnownTo, versionOf } from "./version.ts";

const { values } = parseArgs({
  options: {
    keepalived: { type: "string", default: "/usr/sbin/keepalived" },
    only: { type: "string", default: "" },
    files: { type: "string", default: "0" },
    seed: { type: "string", default: "1" },
    shrink: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
  },
});
const version = versionOf(values.keepalived);
const [count, seed] = [Number(values.files), Number(values.seed)];
const randomFile = randomFiles(version);
const all: Configuration[] =
  count === 0 ? [...sampleCases(), ...regressions] : Array.from({ length: count }, (_, i) => randomFile(seed + i));
const configurations = all.filter((each) => each.name.includes(values.only) && isKnownTo(version, each.since));
const exceptions = exceptionsFor(version);
const judged = await judgeAll(values.keepalived, configurations);
const differing = judged.flatMap((each) => {
  const { configuration, difference } = each;
  if (difference === undefined) return [];
  return [{ each, reasons: reasonsFor(configuration.name, difference, exceptions) }];
});
const explained = new Set(differing.flatMap(({ reasons }) => reasons));
const unexplained = differing.filter(({ reasons }) => reasons.length === 0).map(({ each }) => each);
for (const each of unexplained) {
  const shown = values.shrink ? await shrink(values.keepalived, each) : each;
  process.stdout.write(`${values.json ? asJson(shown) : inWords(shown)}\n`);
}
const complete = count === 0 && values.only === "";
const idle = complete ? exceptions.filter((each) => each.cases !== undefined && !explained.has(each)) : [];
for (const { cases } of idle) process.stdout.write(`explains nothing any more: ${cases}\n`);
process.stderr.write(
  `keepalived ${version}: ${configurations.length} configurations, ${differing.length} disagreements, ` +
    `${unexplained.length} of them unexplained\n`,
);
process.exitCode = unexplained.length + idle.length === 0 ? 0 : 1;

function inWords({ configuration, difference, verdict }: Judged<Configuration>): string {
  const messages = [...new Set(verdict.messages)].slice(0, 4).map((message) => `    ${message}`);
  const text = values.shrink ? [configuration.text] : [];
  return [configuration.name, `  ${difference?.words}`, ...messages, ...text].join("\n");
}

function asJson({ configuration, difference, verdict, diagnostics }: Judged<Configuration>): string {
  const ours = diagnostics.filter(({ errorClass }) => errorClass !== "ok");
  return JSON.stringify({
    name: configuration.name,
    text: values.shrink ? configuration.text : undefined,
    difference: difference?.words,
    messages: verdict.messages,
    ours: ours.map(({ line, code, message }) => `${line}: ${code} ${message}`),
  });
}
