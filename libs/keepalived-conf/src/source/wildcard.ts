// One name against a pattern of `*`, `?`, `[…]` and backslashes, as fnmatch(3) does for glob(3) in the C locale. In time
// that grows with name × pattern, whatever the pattern is: it comes out of the file.

type Token =
  | { readonly kind: "star" }
  | { readonly kind: "any" }
  | { readonly kind: "one"; readonly character: string }
  | { readonly kind: "set"; readonly negated: boolean; readonly has: (character: string) => boolean };

/** It can stand for more than one name. */
export const isPattern = (text: string): boolean => /[*?]|\[.*\]/s.test(text);

/** It has to be compared with names: for glob(3) a name with a backslash has to be, too. */
export const needsNames = (text: string): boolean => text.includes("\\") || isPattern(text);

export function wildcardMatcher(pattern: string): (name: string) => boolean {
  const tokens = tokenise(pattern);
  const hidden = tokens[0]?.kind === "one" && tokens[0].character === ".";
  return (name) => (hidden || !name.startsWith(".")) && matches(tokens, name);
}

/** Only the last star has to be tried again: what an earlier one could give, the later one can give too. */
function matches(tokens: readonly Token[], name: string): boolean {
  let [at, index] = [0, 0];
  let retry: { token: number; at: number } | undefined;
  while (at < name.length) {
    const token = tokens[index];
    if (token?.kind === "star") {
      retry = { token: ++index, at };
    } else if (token !== undefined && fits(token, name[at] ?? "")) {
      at++;
      index++;
    } else if (retry !== undefined) {
      at = ++retry.at;
      index = retry.token;
    } else return false;
  }
  return tokens.slice(index).every(({ kind }) => kind === "star");
}

function fits(token: Token, character: string): boolean {
  if (token.kind === "one") return token.character === character;
  return token.kind !== "set" || token.has(character) !== token.negated;
}

function tokenise(pattern: string): Token[] {
  const tokens: Token[] = [];
  for (let i = 0; i < pattern.length; i++) {
    const character = pattern[i] ?? "";
    const set = character === "[" ? readSet(pattern, i) : undefined;
    if (set !== undefined) {
      tokens.push(set.token);
      i = set.end;
    } else if (character === "*") tokens.push({ kind: "star" });
    else if (character === "?") tokens.push({ kind: "any" });
    else if (character === "\\" && i + 1 < pattern.length) tokens.push({ kind: "one", character: pattern[++i] ?? "" });
    else tokens.push({ kind: "one", character });
  }
  return tokens;
}

const classes: Readonly<Record<string, RegExp>> = {
  alnum: /[A-Za-z0-9]/,
  alpha: /[A-Za-z]/,
  blank: /[ \t]/,
  digit: /[0-9]/,
  lower: /[a-z]/,
  punct: /[!-/:-@[-`{-~]/,
  space: /[ \t\n\v\f\r]/,
  upper: /[A-Z]/,
  xdigit: /[0-9A-Fa-f]/,
};

/** From a `[` to its `]`; undefined when there is none, so that the bracket stands for itself. */
function readSet(pattern: string, open: number): { token: Token; end: number } | undefined {
  const negated = pattern[open + 1] === "!" || pattern[open + 1] === "^";
  const first = open + (negated ? 2 : 1);
  const tests: ((character: string) => boolean)[] = [];
  for (let i = first; i < pattern.length; i++) {
    if (pattern[i] === "]" && i > first) {
      const has = (character: string) => tests.some((test) => test(character));
      return { token: { kind: "set", negated, has }, end: i };
    }
    const named = /^\[:([a-z]+):\]/.exec(pattern.slice(i, i + 12));
    const known = named === null ? undefined : classes[named[1] ?? ""];
    if (named !== null && known !== undefined) {
      tests.push((character) => known.test(character));
      i += named[0].length - 1;
      continue;
    }
    if (pattern[i] === "\\" && i + 1 < pattern.length) i++;
    const from = pattern[i] ?? "";
    let to = from;
    if (pattern[i + 1] === "-" && i + 2 < pattern.length && pattern[i + 2] !== "]") {
      i += pattern[i + 2] === "\\" ? 3 : 2;
      to = pattern[i] ?? "";
    }
    tests.push((character) => from <= character && character <= to);
  }
  return undefined;
}
