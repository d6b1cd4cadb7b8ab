// Where the translation of a pattern stands in its text, and the refusal that ends it.

/** Thrown within the translation alone. */
export class Refusal extends Error {
  readonly at: number;
  constructor(reason: string, at: number) {
    super(reason);
    this.at = at;
  }
}

export interface PatternText {
  readonly at: number;
  isOver(): boolean;
  /** The next code point without taking it; "" at the end. */
  peek(): string;
  take(): string;
  /** Takes `text` when it comes next. */
  takes(text: string): boolean;
  /** Takes what matches here; `pattern` is sticky. */
  match(pattern: RegExp): RegExpExecArray | undefined;
  /** The position to which `at` is put back. */
  goTo(at: number): void;
  refuse(reason: string, at?: number): never;
}

export function readPattern(text: string): PatternText {
  let at = 0;
  const peek = (): string => {
    const code = text.codePointAt(at);
    return code === undefined ? "" : String.fromCodePoint(code);
  };
  return {
    get at() {
      return at;
    },
    isOver: () => at >= text.length,
    peek,
    take: () => {
      const next = peek();
      at += next.length;
      return next;
    },
    takes: (expected) => {
      const found = text.startsWith(expected, at);
      if (found) at += expected.length;
      return found;
    },
    match: (pattern) => {
      pattern.lastIndex = at;
      const found = pattern.exec(text) ?? undefined;
      if (found !== undefined) at += found[0].length;
      return found;
    },
    goTo: (where) => {
      at = where;
    },
    refuse: (reason, where = at) => {
      throw new Refusal(reason, where);
    },
  };
}
