// What has to hold of any input whatever: nothing throws, and the answers agree with each other.
import {
  changeSentences,
  type Diagnostic,
  diffConfig,
  exitCodeOf,
  formatDiagnostic,
  formatOctets,
  isFatal,
  lint,
  type ParseResult,
} from "@baton/keepalived-conf";
import { type Input, mainFile, octetsOf, parseInput, textOf } from "./input.ts";

export interface Judged {
  readonly input: Input;
  readonly result: ParseResult;
  /** The same file on the other node; undefined where it is not looked at. */
  readonly other: ParseResult | undefined;
}

type Property = (judged: Judged) => string | undefined;

const properties: Readonly<Record<string, Property>> = {
  verdict,
  places,
  "plain data": plainData,
  lint: linted,
  diff: differences,
  format: formatted,
};

/** `PROPERTY: what is wrong`, undefined where all is well. */
export function failureOf(input: Input): string | undefined {
  const judged = attempt("parse", () => readBoth(input));
  return typeof judged === "string" ? judged : judgementOn(judged);
}

/** On answers that were given already. */
export function judgementOn(judged: Judged): string | undefined {
  for (const [name, property] of Object.entries(properties)) {
    const wrong = attempt(name, () => property(judged));
    if (wrong !== undefined) return wrong.startsWith(`${name}: `) ? wrong : `${name}: ${wrong}`;
  }
  return undefined;
}

export function readBoth(input: Input): Judged {
  const dependsOnNode = isChosen(input) || Object.values(input).some((text) => text.includes("@"));
  return { input, result: parseInput(input, "r1"), other: dependsOnNode ? parseInput(input, "r2") : undefined };
}

function attempt<T>(name: string, action: () => T): T | string {
  try {
    return action();
  } catch (error) {
    const [message = "", ...stack] = (error instanceof Error ? (error.stack ?? error.message) : String(error)).split(
      "\n",
    );
    const places = stack.filter((line) => /keepalived-conf/.test(line)).slice(0, 3);
    return `${name}: throws ${message.slice(0, 300)}${places.map((line) => `\n${line}`).join("")}`;
  }
}

const exitCodes: readonly number[] = [0, 2, 4, 5, 6];

function verdict({ result: { config, diagnostics } }: Judged): string | undefined {
  const exit = exitCodeOf(diagnostics);
  if (!exitCodes.includes(exit)) return `exit code ${exit}`;
  if (config === undefined && !isFatal(diagnostics)) return "neither a Config nor a reason why there is none";
  return told(diagnostics);
}

/** Of texts that are made of parts: a part that was forgotten (no input has these words), or one that writes to the terminal. */
function told(diagnostics: readonly Diagnostic[]): string | undefined {
  for (const diagnostic of diagnostics) {
    const text = formatDiagnostic(diagnostic);
    if (/\bundefined\b|\bNaN\b|\[object /.test(diagnostic.message))
      return `${diagnostic.code} says: ${diagnostic.message}`;
    if (/\p{Cc}/u.test(text.replaceAll("\n", ""))) return `${diagnostic.code} has control characters`;
  }
  return undefined;
}

function places({ input, result: { diagnostics, source } }: Judged): string | undefined {
  const lines = new Map<string, readonly string[]>();
  for (const [name, content] of source.files) if ("text" in content) lines.set(name, content.text.split("\n"));
  for (const { file, line, column, code } of diagnostics) {
    const place = `${code} at ${file}:${line}:${column}`;
    const text = lines.get(file);
    if (line === 0) {
      if (!source.files.has(file) && file !== mainFile(input)) return `${place}: there is no such file`;
    } else if (text === undefined || line < 1 || line > text.length) return `${place}: there is no such line`;
    else if (column < 1 || column > (text[line - 1] ?? "").length + 1) return `${place}: there is no such column`;
  }
  return undefined;
}

function plainData({ input, result: { config, diagnostics } }: Judged): string | undefined {
  const text = JSON.stringify([config ?? null, diagnostics]);
  if (isChosen(input)) {
    const again = parseInput(input, "r1");
    if (JSON.stringify([again.config ?? null, again.diagnostics]) !== text) return "another answer the second time";
  }
  return notPlain(config, "config") ?? (JSON.stringify(JSON.parse(text)) === text ? undefined : "not JSON");
}

/** To read a text once more costs as much as the rest: for most questions a share of the inputs has to do. */
const isChosen = (input: Input): boolean => (input[mainFile(input)] ?? "").length % share === 0;
const share = 4;

/** Where a value stands that JSON would change. */
function notPlain(value: unknown, path: string): string | undefined {
  if (typeof value === "number") return Number.isFinite(value) ? undefined : `${path} is ${value}`;
  if (value === undefined || value === null || typeof value === "string" || typeof value === "boolean")
    return undefined;
  if (typeof value !== "object") return `${path} is a ${typeof value}`;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== Array.prototype) return `${path} is of a class`;
  for (const [key, member] of Object.entries(value)) {
    if (member === undefined && Array.isArray(value)) return `${path}[${key}] is missing`;
    const strange = notPlain(member, `${path}.${key}`);
    if (strange !== undefined) return strange;
  }
  return undefined;
}

function linted({ result, other }: Judged): string | undefined {
  const found = lint({ files: [result], peers: other === undefined ? [] : [other] });
  if (exitCodeOf(found) !== exitCodeOf(result.diagnostics)) return "it changes the exit code";
  return told(found);
}

function differences({ result, other }: Judged): string | undefined {
  if (result.config === undefined) return undefined;
  if (diffConfig(result.config, result.config).length > 0) return "a Config differs from itself";
  if (other?.config === undefined) return undefined;
  const changes = diffConfig(result.config, other.config);
  const sentences = changeSentences(changes);
  if (sentences.length < changes.length) return "a change that is not told";
  const strange = sentences.find((sentence) => /\bNaN\b|\[object /.test(sentence));
  if (strange !== undefined) return `it says: ${strange}`;
  const same = JSON.stringify(result.config) === JSON.stringify(other.config);
  if (same !== (changes.length === 0)) return same ? "changes of equal Configs" : "no change of different Configs";
  return undefined;
}

function formatted({ input, result }: Judged): string | undefined {
  const [main, text] = Object.entries(input)[0] ?? ["", ""];
  const once = formatOctets(octetsOf(text), main);
  if (once.diagnostics.length > 0)
    return textOf(once.octets) === text ? undefined : "the text is not left as it was, and it says so";
  const after = textOf(once.octets);
  if (textOf(formatOctets(once.octets, main).octets) !== after) return "another layout the second time";
  if (after === text) return undefined;
  const later = parseInput({ ...input, [main]: after }, "r1");
  const isText = [...result.source.files.values()].every((content) => !("text" in content) || !content.foreign?.size);
  const shown = (value: string): string => (isText ? value : value.replace(beyondAscii, "?"));
  if (shown(JSON.stringify(later.config ?? null)) !== shown(JSON.stringify(result.config ?? null)))
    return "another Config";
  return shown(factsOf(result, isText)) === shown(factsOf(later, isText)) ? undefined : "other diagnostics";
}

/** Of a line that is no UTF-8 each octet is a character; a part of it that stands alone may be UTF-8. */
const beyondAscii = /[^\0-\x7f]+/g;

const words = (text: string | undefined): string | undefined => text?.replace(/[ \t]+/g, " ");

/**
 * Without places, which a layout moves; without the mark that it takes away, and what is told of each line. `isText`: hints
 * count too, which look for names that are nearly the same.
 */
const factsOf = ({ diagnostics }: ParseResult, isText: boolean): string =>
  diagnostics
    .filter(({ code }) => code !== "byte-order-mark" && code !== "encoding")
    .map(({ severity, code, errorClass, message, text, used, hint }) =>
      JSON.stringify([
        severity,
        code,
        errorClass,
        message.replace(/line \d+/, "line"),
        words(text),
        used,
        isText && hint,
      ]),
    )
    .sort()
    .join("\n");
