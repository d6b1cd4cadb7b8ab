// A pattern of PCRE2 in JavaScript's RegExp, or why not. The dialects differ in what the same characters mean, so nothing
// is handed on as it stands: the pattern is read as PCRE2 does and written anew, without JavaScript's flags for case, lines
// and dots. What RegExp cannot do (recursion, conditions, verbs) is refused, so that it is known before it is needed.
import type { RegexConfig, RegexOption } from "../config/checker.ts";
import { finishClass, readClass } from "./character-class.ts";
import { bothCases, type CodePoints, complementOf, newline, writeSet } from "./code-points.ts";
import { beforeLastNewline, readEscape, subjectEnd, subjectStart } from "./escapes.ts";
import { type GroupBook, openGroupBook } from "./group-book.ts";
import { type PatternText, Refusal, readPattern } from "./pattern-text.ts";

export type TranslatedPattern =
  | {
      readonly ok: true;
      /** For `new RegExp`. */
      readonly source: string;
      /** The subject is UTF-8, and RegExp needs the flag `u`; otherwise a character of it is an octet. */
      readonly unicode: boolean;
      /** A match has to start in the first line. */
      readonly firstLine: boolean;
    }
  | {
      readonly ok: false;
      readonly reason: string;
      /** Where in the pattern, from 0; in octets of UTF-8 without `utf`. */
      readonly at: number;
    };

/** As deep as PCRE2 nests by default. */
const depthMax = 250;

/** Those that change what a pattern matches, and cannot be carried out. */
const refusedOptions: readonly RegexOption[] = ["alt_bsux", "ucp", "dupnames"];

export function translatePattern({ pattern, options }: Pick<RegexConfig, "pattern" | "options">): TranslatedPattern {
  const refused = refusedOptions.find((option) => options.includes(option));
  if (refused !== undefined) return { ok: false, reason: `the option ${refused}`, at: 0 };
  const unicode = options.includes("utf");
  try {
    const text = readPattern(unicode ? pattern : toOctets(pattern));
    const translation = new Translation(text, options);
    const source = translation.readAlternatives(0);
    if (!text.isOver()) text.refuse("a closing parenthesis without an opening one");
    translation.groups.verify((reason, at) => text.refuse(reason, at));
    return { ok: true, source, unicode, firstLine: options.includes("firstline") };
  } catch (error) {
    if (error instanceof Refusal) return { ok: false, reason: error.message, at: error.at };
    throw error;
  }
}

/** A character for each octet of UTF-8, as PCRE2 sees a pattern without `utf`. */
const toOctets = (pattern: string): string =>
  pattern.replace(/\P{ASCII}/gu, (character) =>
    /\p{Surrogate}/u.test(character)
      ? "\xef\xbf\xbd"
      : encodeURIComponent(character).replace(/%(..)/g, (_, hex: string) =>
          String.fromCharCode(Number.parseInt(hex, 16)),
        ),
  );

interface Flags {
  readonly caseless: boolean;
  readonly dotAll: boolean;
  readonly multiline: boolean;
  readonly extended: boolean;
  readonly ungreedy: boolean;
  readonly noAutoCapture: boolean;
}

const flagLetters: Readonly<Record<string, keyof Flags>> = {
  i: "caseless",
  s: "dotAll",
  m: "multiline",
  x: "extended",
  U: "ungreedy",
  n: "noAutoCapture",
};
const noFlags: Flags = {
  caseless: false,
  dotAll: false,
  multiline: false,
  extended: false,
  ungreedy: false,
  noAutoCapture: false,
};

class Translation {
  readonly groups: GroupBook = openGroupBook();
  readonly #text: PatternText;
  readonly #options: readonly RegexOption[];
  readonly #unicode: boolean;
  readonly #max: number;
  #flags: Flags;
  /** How many lookbehinds are open: RegExp reads them backwards. */
  #behind = 0;

  constructor(text: PatternText, options: readonly RegexOption[]) {
    this.#text = text;
    this.#options = options;
    this.#unicode = options.includes("utf");
    this.#max = this.#unicode ? 0x10ffff : 0xff;
    this.#flags = {
      caseless: options.includes("caseless"),
      dotAll: options.includes("dotall"),
      multiline: options.includes("multiline"),
      extended: options.includes("extended"),
      ungreedy: options.includes("ungreedy"),
      noAutoCapture: options.includes("no_auto_capture"),
    };
  }

  /** Up to the parenthesis that closes, or the end. */
  readAlternatives(depth: number): string {
    if (depth > depthMax) this.#text.refuse("groups that are nested too deep");
    let script = "";
    for (;;) {
      this.#skip();
      if (this.#text.isOver() || this.#text.peek() === ")") return script;
      if (this.#text.takes("|")) {
        this.groups.branch();
        script += "|";
      } else script += this.#readPiece(depth);
    }
  }

  /** An atom and how often. */
  #readPiece(depth: number): string {
    const text = this.#text;
    if (text.takes("\\Q")) return this.#readQuoted();
    if (text.takes("\\E")) return "";
    if (text.match(/[*+?]|\{\d+(?:,\d*)?\}/y) !== undefined) text.refuse("nothing to repeat", text.at - 1);
    const first = this.groups.count();
    const atom = this.#readAtom(depth);
    return atom === "" ? "" : this.#readQuantifier(atom, first);
  }

  #readQuoted(): string {
    const quoted = this.#text.match(/([\s\S]*?)(?:\\E|$)/y)?.[1] ?? "";
    const characters = [...quoted].map((each) => this.#write([[each.codePointAt(0) ?? 0, each.codePointAt(0) ?? 0]]));
    const last = characters.pop();
    // What follows repeats the last character alone.
    return last === undefined ? "" : characters.join("") + this.#readQuantifier(last, this.groups.count());
  }

  #readQuantifier(atom: string, firstGroup: number): string {
    this.#skip();
    const text = this.#text;
    const at = text.at;
    const found = text.match(/[*+?]|\{(\d{1,9})(?:(,)(\d{0,9}))?\}/y);
    if (found === undefined) return atom;
    const [low, high] = [Number(found[1] ?? 0), Number(found[3] || found[1] || 0)];
    if (low > 65_535 || high > 65_535 || (found[3] ? high < low : false)) text.refuse("such a number of times", at);
    this.groups.repeat(firstGroup);
    const repeated = `(?:${atom})${found[0]}`;
    if (text.takes("+")) return this.#atomic(repeated, at);
    const lazy = text.takes("?") !== this.#flags.ungreedy;
    return lazy ? `${repeated}?` : repeated;
  }

  /** Never gives back what it has taken: a lookahead is like that, and its text is taken again by a reference. */
  #atomic(script: string, at: number): string {
    if (this.#behind > 0) this.#text.refuse("an atomic group or possessive quantifier in a lookbehind", at);
    const name = this.groups.nameOfOwn();
    return `(?:(?=(?<${name}>${script}))\\k<${name}>)`;
  }

  #readAtom(depth: number): string {
    const text = this.#text;
    const at = text.at;
    const next = text.take();
    switch (next) {
      case ".":
        return this.#writeExact(this.#flags.dotAll ? [[0, this.#max]] : complementOf(newline, this.#max));
      case "^":
        return this.#lineStart();
      case "$":
        return this.#lineEnd();
      case "[": {
        if (text.match(/\[:[<>]:\]\]/y) !== undefined) text.refuse("[[:<:]]", at);
        const { set, negated } = readClass(text, {
          max: this.#max,
          emptyAllowed: this.#options.includes("allow_empty_class"),
        });
        return this.#writeExact(finishClass(this.#fold(set, at), negated, this.#max));
      }
      case "(":
        return this.#readGroup(depth, at);
      case "\\":
        return this.#readEscape(at);
      default:
        return this.#write([[next.codePointAt(0) ?? 0, next.codePointAt(0) ?? 0]], at);
    }
  }

  #readEscape(at: number): string {
    if (this.#text.takes("R")) return this.#atomic(`\\r\\n|[\\n-\\r\\x85${this.#unicode ? "\\u2028\\u2029" : ""}]`, at);
    const meaning = readEscape(this.#text, "outside", this.#max);
    switch (meaning.kind) {
      case "character":
        return this.#write([[meaning.code, meaning.code]], at);
      case "set":
        return this.#writeExact(meaning.set);
      case "assertion":
        return meaning.script;
      case "group":
        if (this.#behind > 0) this.#text.refuse("a reference to a group in a lookbehind", at);
        if (this.#flags.caseless) this.#text.refuse("a reference to a group without regard to case", at);
        return this.groups.reference(meaning.group, at);
    }
  }

  #readGroup(depth: number, at: number): string {
    const text = this.#text;
    if (text.peek() === "*") text.refuse("a verb, as (*UTF) or (*FAIL)", at);
    if (text.match(/\?#[^)]*\)/y) !== undefined) return "";
    const flags = text.match(/\?(\^?)([a-zA-Z]*)(?:-([a-zA-Z]*))?([:)])/y);
    if (flags !== undefined) {
      const before = this.#flags;
      this.#flags = this.#changed(flags, at);
      if (flags[4] === ")") return "";
      return this.#inside(depth, at, "plain", before, (script) => `(?:${script})`);
    }
    const around = text.match(/\?(<?[=!]|>)/y)?.[1];
    if (around === ">") return this.#inside(depth, at, "plain", this.#flags, (script) => this.#atomic(script, at));
    if (around !== undefined) {
      const behind = around.length === 2 ? 1 : 0;
      this.#behind += behind;
      const kind = around.endsWith("!") ? "negative" : "plain";
      const script = this.#inside(depth, at, kind, this.#flags, (inner) => `(?${around}${inner})`);
      this.#behind -= behind;
      return script;
    }
    const named = text.match(/\?P?<([A-Za-z_]\w{0,31})>|\?'([A-Za-z_]\w{0,31})'/y);
    const back = text.match(/\?P=(\w{1,32})\)/y);
    if (back !== undefined) return this.groups.reference(back[1] ?? "", at);
    if (named === undefined && text.peek() === "?") text.refuse(`a group that begins with ${this.#opening(at)}`, at);
    if (named === undefined && this.#flags.noAutoCapture)
      return this.#inside(depth, at, "plain", this.#flags, (script) => `(?:${script})`);
    const name = named?.[1] ?? named?.[2];
    if (name !== undefined && this.groups.has(name)) text.refuse(`two groups named ${name}`, at);
    const own = this.groups.add(name);
    return this.#inside(depth, at, own, this.#flags, (script) => `(?<${own}>${script})`);
  }

  #opening(at: number): string {
    this.#text.goTo(at);
    return this.#text.match(/[\s\S]{1,4}/y)?.[0] ?? "(";
  }

  #inside(depth: number, at: number, kind: string, flagsBehind: Flags, write: (script: string) => string): string {
    this.groups.enter(kind);
    const script = this.readAlternatives(depth + 1);
    if (!this.#text.takes(")")) this.#text.refuse("a group without an end", at);
    this.groups.leave();
    this.#flags = flagsBehind;
    return write(script);
  }

  #changed(found: RegExpExecArray, at: number): Flags {
    const set = (flags: Flags, letters: string | undefined, value: boolean): Flags => {
      const changed: Record<keyof Flags, boolean> = { ...flags };
      for (const letter of letters ?? "") {
        changed[flagLetters[letter] ?? this.#text.refuse(`(?${letter})`, at)] = value;
      }
      return changed;
    };
    return set(
      set(found[1] === "^" ? { ...noFlags, ungreedy: this.#flags.ungreedy } : this.#flags, found[2], true),
      found[3],
      false,
    );
  }

  #lineStart(): string {
    if (!this.#flags.multiline) return subjectStart;
    // Behind the last newline no line begins.
    const next = this.#options.includes("alt_circumflex") ? "" : "(?=[^])";
    return `(?:${subjectStart}|(?<=\\n)${next})`;
  }

  #lineEnd(): string {
    if (this.#flags.multiline) return `(?=\\n|${subjectEnd})`;
    return this.#options.includes("dollar_endonly") ? subjectEnd : beforeLastNewline;
  }

  #skip(): void {
    if (this.#flags.extended) this.#text.match(/(?:[\t\n\v\f\r ]|#[^\n]*(?:\n|$))*/y);
  }

  #fold(set: CodePoints, at: number): CodePoints {
    if (!this.#flags.caseless) return set;
    if (this.#unicode && set.some(([, last]) => last > 127)) this.#text.refuse("case beyond ASCII", at);
    return bothCases(set);
  }

  #write(set: CodePoints, at = this.#text.at): string {
    return this.#writeExact(this.#fold(set, at));
  }

  #writeExact(set: CodePoints): string {
    return writeSet(set, this.#unicode);
  }
}
