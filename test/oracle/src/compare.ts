// keepalived's verdict and ours, side by side.
import { readFileSync } from "node:fs";
import { machineFacts } from "@baton/host";
import { type Diagnostic, exitCodeOf, parseConfig } from "@baton/keepalived-conf";
import { configId, type Verdict } from "./keepalived.ts";

/** The same configuration, as we see it. */
export function ourDiagnostics(file: string, interfaces: ReadonlySet<string>): readonly Diagnostic[] {
  const facts = machineFacts(process.env);
  const { diagnostics } = parseConfig({
    ...facts,
    file,
    configId,
    interfaceExists: (name) => interfaces.has(name),
    mtu: () => undefined,
    linkKind: (name) => (interfaces.has(name) ? "veth" : undefined),
  });
  // What Baton refuses to carry out is nothing that keepalived could say.
  return diagnostics.filter(({ code }) => code !== "refused");
}

/** The shell's exit codes from here on say that a signal ended it. */
const killed = 128;

const placeOf = ({ file, line }: Diagnostic): string => `${file}:${line}`;

export interface Difference {
  readonly words: string;
  /** The lines that only one complains of: `keepalived: …` or `we: …`. */
  readonly lines: readonly string[];
}

/** undefined: both say the same. */
export function disagreement(verdict: Verdict, diagnostics: readonly Diagnostic[]): Difference | undefined {
  const differences: string[] = [];
  const exit = exitCodeOf(diagnostics);
  if (verdict.exit >= killed) {
    return exit === 0 ? { words: "it kills keepalived, and we say nothing", lines: [] } : undefined;
  }
  if (exit !== verdict.exit) differences.push(`exit: keepalived ${verdict.exit}, we ${exit}`);
  const told = new Set(diagnostics.filter(({ line }) => line > 0).map(placeOf));
  const complaints = diagnostics.filter(({ errorClass, line }) => errorClass !== "ok" && line > 0);
  const ours = new Set(complaints.map(placeOf));
  const [unheard, unsaid] = withoutBlocks(
    verdict,
    verdict.places.filter((place) => !told.has(place)),
    [...ours].filter((place) => !verdict.places.includes(place)),
    ours,
  );
  if (unheard.length > 0) differences.push(`only keepalived complains: ${unheard.map(shown).join(", ")}`);
  // A missing word or file ends keepalived on the spot, and we go on; what it says at the end names no line, and we
  // name one.
  const ended = verdict.exit === 2 || diagnostics.some(({ errorClass }) => errorClass === "file-not-found");
  const alone = ended || verdict.unplaced.length > 0 ? [] : unsaid;
  if (alone.length > 0) differences.push(`only we complain: ${alone.map(shown).join(", ")}`);
  if (differences.length === 0) return undefined;
  const lines = (who: string, places: readonly string[]): string[] =>
    places.map((place) => `${who}: ${textAt(place).trim()}`);
  return { words: differences.join("; "), lines: [...lines("keepalived", unheard), ...lines("we", alone)] };
}

/**
 * What is wrong with a block as a whole keepalived sees at the `}` that ends it; we name the line that it is about, or
 * where the block begins. Where braces do not match, blocks end elsewhere than one would think: any `}` may do then.
 * And what a wrong line does to the block around it we say at the block.
 */
function withoutBlocks(
  verdict: Verdict,
  unheard: readonly string[],
  unsaid: readonly string[],
  ours: ReadonlySet<string>,
): [string[], string[]] {
  const broken = verdict.messages.some((message) => /'[{}]'/.test(message));
  const closed = broken && verdict.places.some((place) => /^\s*\}/.test(textAt(place)));
  const opened = new Set([...ours].filter((place) => opensBlock(place, verdict)));
  const ends = unheard.map((place) => ({ place, lines: blockEndingAt(place) }));
  const met = ends.filter(
    ({ lines }) => lines.some((line) => ours.has(line)) || (broken && lines.length > 0 && opened.size > 0),
  );
  const covered = new Set(met.flatMap(({ lines }) => lines));
  const isOfBlock = (place: string): boolean =>
    covered.has(place) ||
    (opened.has(place) && (closed || blockBeginningAt(place).some((line) => verdict.places.includes(line))));
  return [
    ends.filter((end) => !met.includes(end)).map(({ place }) => place),
    unsaid.filter((place) => !isOfBlock(place)),
  ];
}

/** With a `{` on the line or the next, or where keepalived misses one, or all that could be between the two braces. */
function opensBlock(place: string, { messages, places }: Verdict): boolean {
  if (textAt(place).includes("{") || /^\s*\{/.test(textAt(place, 1))) return true;
  const [file, line] = parts(place);
  const missing = /Missing '\{'|Warning - .*\bempty .*block/;
  return places.includes(`${file}:${line + 1}`) && messages.some((message) => missing.test(message));
}

/** The places of the block's lines; none where no block ends. */
function blockEndingAt(place: string): string[] {
  if (!/^\s*\}/.test(textAt(place))) return [];
  const [file, number] = parts(place);
  const found: string[] = [];
  for (let line = number, depth = 0; line > 0; line--) {
    const text = textAt(`${file}:${line}`);
    depth += (text.match(/\}/g) ?? []).length - (text.match(/\{/g) ?? []).length;
    found.push(`${file}:${line}`);
    if (depth > 0) continue;
    if (/^\s*\{/.test(text)) found.push(`${file}:${line - 1}`);
    break;
  }
  return found;
}

/** The places of the block's lines, or of the line that should be its `{`; none where no block begins. */
function blockBeginningAt(place: string): string[] {
  const [file, number] = parts(place);
  const lines = readFileSync(file, "utf8").split("\n");
  const found = [place, `${file}:${number + 1}`];
  let depth = 0;
  for (let line = number; line <= lines.length; line++) {
    const text = lines[line - 1] ?? "";
    depth += (text.match(/\{/g) ?? []).length - (text.match(/\}/g) ?? []).length;
    if (line > number + 1) found.push(`${file}:${line}`);
    if (depth <= 0 && line > number) break;
  }
  return found;
}

function parts(place: string): [file: string, line: number] {
  const [, file = "", line = "0"] = /^(.*):(\d+)$/.exec(place) ?? [];
  return [file, Number(line)];
}

/** The text at a place, or so many lines further on: without the condition before it, definitions filled in. */
function textAt(place: string, further = 0): string {
  const [file, line] = parts(place);
  const lines = readFileSync(file, "utf8").split("\n");
  const text = (lines[line - 1 + further] ?? "").replace(/^\s*@\S+\s+/, "");
  return text.replace(/\$\{?(\w+)\}?/g, (use, name) => {
    const definition = lines.find((each) => each.startsWith(`$${name}=`));
    return definition === undefined ? use : definition.slice(definition.indexOf("=") + 1);
  });
}

/** `line N ‹the text there›`. */
const shown = (place: string): string => `line ${parts(place)[1]} ‹${textAt(place).trim()}›`;
