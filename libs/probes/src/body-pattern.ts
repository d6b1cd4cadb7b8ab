// `regex` of a url, compiled once and searched in a body. A pattern may need ages for a body that somebody made for it:
// RegExp has no limit of its own as PCRE2 has, so the search runs where V8 can be made to stop.
import { createContext, Script } from "node:vm";
import { type RegexConfig, translatePattern } from "@baton/keepalived-conf";

/** How long one search may keep the process from everything else, by the clock; the next one is for a search that did not run. */
const searchMillis = [50, 200, 800] as const;
/** Of the processor, in the whole process: who has had that much has had its time. */
const processorMicros = 40_000;

export interface BodyPattern {
  /** Whether the body matches where it may; "too-long": there was no time to tell, which PCRE2's limit calls no match. */
  search(body: Buffer): boolean | "too-long";
}

const sandbox = createContext(Object.create(null) as Record<string, unknown>);
const script = new Script("pattern.exec(text)");
const compiled = new WeakMap<RegexConfig, BodyPattern | undefined>();

/** undefined: it cannot be carried out. Compiled at the first call. */
export function bodyPattern(regex: RegexConfig): BodyPattern | undefined {
  if (!compiled.has(regex)) compiled.set(regex, compile(regex));
  return compiled.get(regex);
}

function compile(regex: RegexConfig): BodyPattern | undefined {
  const translated = translatePattern(regex);
  if (!translated.ok) return undefined;
  const pattern = compileSource(translated.source, translated.unicode);
  if (pattern === undefined) return undefined;
  const encoding = translated.unicode ? "utf8" : "latin1";
  const { minOffset, maxOffset = Number.POSITIVE_INFINITY } = regex;
  const offsetOf = (text: string, index: number): number => Buffer.byteLength(text.slice(0, index), encoding);
  return {
    search: (body) => {
      if (minOffset > body.length) return false;
      const text = body.toString(encoding);
      pattern.lastIndex = body.subarray(0, minOffset).toString(encoding).length;
      const index = find(pattern, text);
      if (typeof index !== "number") return index;
      const newline = text.indexOf("\n");
      if (translated.firstLine && newline >= 0 && index > newline) return false;
      return offsetOf(text, index) <= maxOffset;
    },
  };
}

/** Beyond what RegExp takes (its size, numbers of repetitions) it is as if it could not be translated. */
function compileSource(source: string, unicode: boolean): RegExp | undefined {
  try {
    return new RegExp(source, unicode ? "gu" : "g");
  } catch {
    return undefined;
  }
}

/** Where the first match begins. On a busy machine a search of microseconds may take long by the clock, which proves nothing. */
function find(pattern: RegExp, text: string): number | false | "too-long" {
  const { lastIndex } = pattern;
  for (const timeout of searchMillis) {
    const before = process.cpuUsage();
    try {
      pattern.lastIndex = lastIndex;
      Object.assign(sandbox, { pattern, text });
      const found = script.runInContext(sandbox, { timeout }) as RegExpExecArray | null;
      return found?.index ?? false;
    } catch {
      const { user, system } = process.cpuUsage(before);
      if (user + system >= processorMicros) return "too-long";
    } finally {
      Object.assign(sandbox, { pattern: undefined, text: undefined });
    }
  }
  return "too-long";
}
