// Definitions (grammar section 10): `$NAME=value`, used as `${NAME}` or `$NAME`, expanded where they are used, again and
// again until nothing is left to expand.
import type { Problem } from "../report.ts";
import { type Parameters, predefined } from "./predefined.ts";
import { columnAt, joinTexts, octetsOf, sliceText, type Text, textAt } from "./text.ts";

/** keepalived's line buffer: a substitution that would fill it is not made. */
const expandedOctetsMax = 1024;
/** `$A=$A` never ends in keepalived; here it ends after so many replacements on one line. */
const replacementsMax = 1000;
/** Each replacement copies its line, and costs something of itself: so many characters may be copied altogether. */
const copiedMax = 100_000_000;
const replacementCost = 200;

export interface Definition {
  /** One line, or all lines of a multi-line definition. */
  readonly lines: readonly string[];
  readonly multiline: boolean;
  /** Parameters that a use may have in its braces; undefined: none. */
  readonly parameters: Parameters | undefined;
  /** Predefined, and not defined anew: computed at each use. */
  readonly compute: ((parameters: readonly string[], complain: (message: string) => void) => string) | undefined;
}

/** A definition whose last line ended in a backslash: the next lines of the file belong to it. */
export interface OpenDefinition {
  /** Adds a line; false when it was the last one. */
  add(line: string): boolean;
}

export interface DefinitionsOptions {
  readonly configId: string;
  readonly directory: () => string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** `_RANDOM` differs between nodes, and stays the same on one: a reload of an unchanged file changes nothing. */
  readonly seed: string;
  /** At a column of the line that is being read; `text`: the use that is wrong. */
  readonly report: (problem: Omit<Problem, "place"> & { readonly column: number; readonly text: string }) => void;
}

export interface Substitution {
  readonly text: Text;
  readonly changed: boolean;
  /** Multi-line definitions whose first lines are in `text`; the others of the last one are to be read first. */
  readonly bodies: readonly (readonly string[])[];
  /** Definitions have grown so much altogether that reading should end. */
  readonly exhausted: boolean;
}

export interface Definitions {
  /** Takes `$NAME=value`; undefined when the line is no definition. */
  define(line: string): { readonly open: OpenDefinition | undefined } | undefined;
  set(name: string, value: string): void;
  has(name: string): boolean;
  substitute(line: Text): Substitution;
}

export function openDefinitions(options: DefinitionsOptions): Definitions {
  const state: Expansion = { known: predefined(options), report: options.report, copied: 0 };
  const set = (name: string, lines: readonly string[], multiline = false): void => {
    // What is defined anew goes on to take the parameters that it took.
    const parameters = state.known.get(name)?.parameters;
    state.known.set(name, { lines, multiline, parameters, compute: undefined });
  };
  const define = (line: string) => {
    const match = /^\$([A-Za-z_][A-Za-z0-9_]*)=[ \t]*(.*)$/s.exec(line);
    const [name, value] = [match?.[1], match?.[2]];
    if (name === undefined || value === undefined) return undefined;
    if (!value.endsWith("\\")) {
      set(name, [value]);
      return { open: undefined };
    }
    const first = withoutBackslash(value);
    const lines = first === "" ? [] : [first];
    set(name, lines, lines.length > 0);
    const add = (next: string): boolean => {
      const goesOn = next.endsWith("\\");
      // With nothing before its last line, it is an ordinary definition.
      const multiline = goesOn || lines.length > 0;
      const body = goesOn ? withoutBackslash(next) : next;
      if (body !== "") lines.push(body);
      set(name, lines, multiline);
      return goesOn;
    };
    return { open: { add } };
  };
  return {
    define,
    set: (name, value) => set(name, [value]),
    has: (name) => state.known.has(name),
    substitute: (line) => substitute(line, state),
  };
}

const withoutBackslash = (line: string): string => line.slice(0, -1).replace(/[ \t]+$/, "");

interface Expansion {
  readonly known: Map<string, Definition>;
  readonly report: DefinitionsOptions["report"];
  copied: number;
}

function substitute(line: Text, state: Expansion): Substitution {
  // What is before `tail` has nothing left to replace.
  const done: Text[] = [];
  let tail = line;
  let octets = octetsOf(line.value);
  let replacements = 0;
  const bodies: (readonly string[])[] = [];
  for (let from = 0; ; ) {
    const at = tail.value.indexOf("$", from);
    if (at < 0 || at === tail.value.length - 1) break;
    from = at + 1;
    const use = findUse(tail, at, state);
    if (use === undefined) continue;
    const { definition } = use;
    const written = { column: columnAt(tail, at), text: tail.value.slice(at, use.end) };
    const complain = (message: string) =>
      state.report({ ...complaint, ...written, message: `${use.name}: ${message}` });
    const value = definition.compute?.(use.parameters, complain) ?? definition.lines[0] ?? "";
    octets += octetsOf(value) - (use.end - at);
    state.copied += replacementCost + tail.value.length + value.length;
    const exhausted = state.copied > copiedMax;
    if (octets >= expandedOctetsMax || ++replacements > replacementsMax || exhausted) {
      if (!exhausted) state.report({ ...tooLong, ...written, message: `${written.text} ${doesNotFit}` });
      return { text: joinTexts([...done, tail]), changed: false, bodies: [], exhausted };
    }
    if (definition.multiline) bodies.push(definition.lines);
    done.push(sliceText(tail, 0, at));
    tail = joinTexts([textAt(value, written.column), sliceText(tail, use.end)]);
    from = 0;
    if (/^[ \t]*~/.test(value)) break;
  }
  return { text: joinTexts([...done, tail]), changed: replacements > 0, bodies, exhausted: false };
}

const complaint = { severity: "error", code: "definition-parameters", errorClass: "general-error" } as const;

const tooLong = {
  severity: "error",
  code: "definition-too-long",
  errorClass: "ok",
  hint: "does the definition use itself?",
} as const;
const doesNotFit = `does not fit: the line would grow beyond ${expandedOctetsMax - 1} octets`;

interface Use {
  readonly name: string;
  readonly definition: Definition;
  readonly parameters: readonly string[];
  readonly end: number;
}

const use = /\$(?:\{([A-Za-z_][A-Za-z0-9_]*)([ \t][ \tA-Za-z0-9_]*)?\}|([A-Za-z_][A-Za-z0-9_]*)(?=[ \t,)]|$))/y;

function findUse(text: Text, at: number, { known, report }: Expansion): Use | undefined {
  use.lastIndex = at;
  const match = use.exec(text.value);
  const name = match?.[1] ?? match?.[3];
  const definition = name === undefined ? undefined : known.get(name);
  if (match === null || name === undefined || definition === undefined) return undefined;
  const given = match[2] ?? "";
  const blank = given.trim() === "";
  // keepalived does not count blanks behind the name, and leaves as many characters of the end.
  const end = at + match[0].length - (blank ? given.length : 0);
  // The lines after its first could not stand before what follows.
  if (definition.multiline && end !== text.value.length) return undefined;
  const parameters = given.split(/[ \t]+/).filter((word) => word !== "");
  const allowed = definition.parameters;
  if (parameters.length === 0) {
    const usable = allowed === undefined || allowed.min === 0 || definition.compute === undefined;
    return usable ? { name, definition, parameters, end } : undefined;
  }
  if (/[ \t]$/.test(given) || allowed === undefined) return undefined;
  const words = allowed.numeric && parameters.some((word) => !/^\d+$/.test(word));
  if (!words && parameters.length >= allowed.min && parameters.length <= allowed.max)
    return { name, definition, parameters, end };
  const message = words ? `${name} takes numbers only` : `${name} takes at most ${allowed.max} parameters`;
  report({ ...complaint, column: columnAt(text, at), text: match[0], message });
  return undefined;
}
