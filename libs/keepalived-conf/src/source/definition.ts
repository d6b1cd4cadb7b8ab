// Definitions (grammar section 10): `$NAME=value`, used as `${NAME}` or `$NAME`, expanded where they are used, again and
// again until nothing is left to expand.
import type { Problem } from "../report.ts";
import { columnAt, octetsOf, replaceText, type Text } from "./text.ts";

/** keepalived's line buffer: a substitution that would fill it is not made. */
const expandedOctetsMax = 1024;
/** `$A=$A` never ends in keepalived; here it ends after so many replacements on one line. */
const replacementsMax = 1000;

interface Definition {
  /** One line, or all lines of a multi-line definition. */
  readonly lines: readonly string[];
  readonly multiline: boolean;
  /** Predefined: computed at each use. */
  readonly compute?: (parameters: readonly string[]) => string;
  readonly parametersMin: number;
  readonly parametersMax: number;
  readonly numeric: boolean;
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
  /** At a column of the line that is being read. */
  readonly report: (problem: Omit<Problem, "place"> & { readonly column: number }) => void;
}

export interface Substitution {
  readonly text: Text;
  readonly changed: boolean;
  /** The lines of a multi-line definition after its first, which is in `text`. */
  readonly rest: readonly string[];
}

export interface Definitions {
  /** Takes `$NAME=value`; undefined when the line is no definition. */
  define(line: string): { readonly open: OpenDefinition | undefined } | undefined;
  set(name: string, value: string): void;
  substitute(line: Text): Substitution;
}

const single = (value: string): Definition => ({
  lines: [value],
  multiline: false,
  parametersMin: 0,
  parametersMax: 0,
  numeric: false,
});

export function openDefinitions(options: DefinitionsOptions): Definitions {
  const known = predefined(options);
  const define = (line: string) => {
    const match = /^\$([A-Za-z_][A-Za-z0-9_]*)=[ \t]*(.*)$/s.exec(line);
    const [name, value] = [match?.[1], match?.[2]];
    if (name === undefined || value === undefined) return undefined;
    if (!value.endsWith("\\")) {
      known.set(name, single(value));
      return { open: undefined };
    }
    const first = value.slice(0, -1).replace(/[ \t]+$/, "");
    const lines = first === "" ? [] : [first];
    const keep = () =>
      known.set(name, { ...single(""), lines: lines.length === 0 ? [""] : [...lines], multiline: lines.length > 0 });
    keep();
    const add = (next: string): boolean => {
      const goesOn = next.endsWith("\\");
      const body = goesOn ? next.slice(0, -1).replace(/[ \t]+$/, "") : next;
      if (body !== "") lines.push(body);
      keep();
      return goesOn;
    };
    return { open: { add } };
  };
  return {
    define,
    set: (name, value) => known.set(name, single(value)),
    substitute: (line) => substitute(line, known, options.report),
  };
}

function substitute(
  line: Text,
  known: ReadonlyMap<string, Definition>,
  report: DefinitionsOptions["report"],
): Substitution {
  let text = line;
  let changed = false;
  let rest: readonly string[] = [];
  let octets = octetsOf(line.value);
  let replacements = 0;
  for (let at = text.value.indexOf("$"); at >= 0 && at < text.value.length - 1; at = text.value.indexOf("$", at)) {
    const use = findUse(text, at, known, report);
    if (use === undefined) {
      at++;
      continue;
    }
    const value = use.definition.compute?.(use.parameters) ?? use.definition.lines[0] ?? "";
    octets += octetsOf(value) - (use.end - at);
    if (octets >= expandedOctetsMax || ++replacements > replacementsMax) {
      report({
        column: columnAt(text, at),
        severity: "error",
        code: "definition-too-long",
        errorClass: "ok",
        message: `$${use.name} does not fit: the line would grow beyond ${expandedOctetsMax - 1} octets`,
        hint: "does the definition use itself?",
      });
      return { text, changed: false, rest };
    }
    // A nested multi-line definition is only expanded at the end of a line, so its lines come before the outer ones.
    if (use.definition.multiline) rest = [...use.definition.lines.slice(1), ...rest];
    text = replaceText(text, at, use.end, value);
    changed = true;
    if (/^[ \t]*~/.test(value)) break;
  }
  return { text, changed, rest };
}

interface Use {
  readonly name: string;
  readonly definition: Definition;
  readonly parameters: readonly string[];
  readonly end: number;
}

const use = /\$(?:\{([A-Za-z_][A-Za-z0-9_]*)([ \t][ \tA-Za-z0-9_]*)?\}|([A-Za-z_][A-Za-z0-9_]*)(?=[ \t,)]|$))/y;

function findUse(
  text: Text,
  at: number,
  known: ReadonlyMap<string, Definition>,
  report: DefinitionsOptions["report"],
): Use | undefined {
  use.lastIndex = at;
  const match = use.exec(text.value);
  const name = match?.[1] ?? match?.[3];
  const definition = name === undefined ? undefined : known.get(name);
  if (match === null || name === undefined || definition === undefined) return undefined;
  const end = at + match[0].length;
  if (definition.multiline && end !== text.value.length) return undefined;
  const given = match[2] ?? "";
  const parameters = given.split(/[ \t]+/).filter((word) => word !== "");
  if (parameters.length === 0) {
    return definition.parametersMin > 0 ? undefined : { name, definition, parameters, end };
  }
  if (/[ \t]$/.test(given) || definition.parametersMax === 0) return undefined;
  const tooMany = parameters.length > definition.parametersMax;
  if (!tooMany && !(definition.numeric && parameters.some((word) => !/^\d+$/.test(word)))) {
    return { name, definition, parameters, end };
  }
  report({
    column: columnAt(text, at),
    severity: "error",
    code: "definition-parameters",
    errorClass: "general-error",
    message: tooMany
      ? `\${${name}} takes at most ${definition.parametersMax} parameters`
      : `\${${name}} takes numbers only`,
  });
  return undefined;
}

function predefined(options: DefinitionsOptions): Map<string, Definition> {
  const random = seededRandom(options.seed);
  const computed = (compute: (parameters: readonly string[]) => string, extra?: Partial<Definition>): Definition => ({
    ...single(""),
    ...extra,
    compute,
  });
  return new Map<string, Definition>([
    ["_PWD", computed(options.directory)],
    ["_INSTANCE", computed(() => options.configId)],
    ["_RANDOM", computed((bounds) => drawBetween(random, bounds), { parametersMax: 2, numeric: true })],
    [
      "_ENV",
      computed(([name = ""]) => (Object.hasOwn(options.env, name) ? (options.env[name] ?? "") : ""), {
        parametersMin: 1,
        parametersMax: 1,
      }),
    ],
    ["_HASH", single("#")],
    ["_BANG", single("!")],
  ]);
}

function drawBetween(random: () => number, bounds: readonly string[]): string {
  const min = Number(bounds[0] ?? 0);
  const max = Math.max(min, Number(bounds[1] ?? 32_767));
  return String(min + (random() % (max - min + 1)));
}

/** xorshift32 over an FNV-1a hash: spread is all that matters. */
function seededRandom(seed: string): () => number {
  let state = 0x811c9dc5;
  for (let i = 0; i < seed.length; i++) state = Math.imul(state ^ seed.charCodeAt(i), 0x01000193) >>> 0;
  if (state === 0) state = 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state;
  };
}
