// The lines of a file as a formatter sees them. Most are words and braces, and may be laid out anew. Where the text itself
// matters (definitions and their uses, conditions, sequences, includes, escapes, quotes of scripts) a line keeps its
// text; the rest of a multi-line definition, and what the parser would not read as a line, keeps its blanks as well.
import { splitAtBrace } from "../source/braces.ts";
import { stripComment } from "../source/comment.ts";
import { parseInclude } from "../source/include.ts";
import { lineOctetsMax } from "../source/physical-line.ts";
import { isSequence } from "../source/sequence.ts";
import { octetsOf, type Text, textOf } from "../source/text.ts";

export type Brace = "{" | "}";

/** `@ID`, or `@^ID`: the line counts on some nodes only. */
export interface Condition {
  readonly id: string;
  readonly negated: boolean;
}

export type ScannedLine =
  | { readonly kind: "blank" }
  /** Without blanks at its ends. */
  | { readonly kind: "comment"; readonly text: string }
  /** To be repeated, character by character. */
  | { readonly kind: "verbatim"; readonly text: string }
  /** May be indented, but not changed. */
  | {
      readonly kind: "opaque";
      readonly text: string;
      readonly pieces: readonly string[];
      readonly condition: Condition | undefined;
    }
  /** Words with one blank between them, and braces. */
  | { readonly kind: "code"; readonly pieces: readonly string[]; readonly comment: string | undefined };

/** Longer ones keep their text: layout must not push a line over keepalived's limit, nor under it. */
export const codeOctetsMax = lineOctetsMax - 120;

export function scanLines(text: string): ScannedLine[] {
  const rows = text.replace(/^\uFEFF/, "").split("\n");
  if (rows.at(-1) === "") rows.pop();
  let inDefinition = false;
  return rows.map((row): ScannedLine => {
    if (row.includes("\0") || octetsOf(row) >= lineOctetsMax) return { kind: "verbatim", text: row };
    const raw = row.replace(/\r+$/, "");
    const { text: code, openQuote, comment } = stripComment(textOf(raw));
    if (inDefinition && code.value !== "") {
      inDefinition = code.value.endsWith("\\");
      return { kind: "verbatim", text: raw };
    }
    inDefinition = false;
    if (code.value === "")
      return comment === undefined ? { kind: "blank" } : { kind: "comment", text: trimComment(raw) };
    const { pieces, opaque, condition, definition } = splitPieces(code);
    inDefinition = definition && code.value.endsWith("\\");
    const own = comment === undefined ? undefined : trimComment(raw.slice(comment));
    const plain = !opaque && openQuote === undefined && isPlain(raw.slice(0, comment));
    if (plain && octetsOf(trim(raw)) <= codeOctetsMax)
      return { kind: "code", pieces: pieces.map(collapse), comment: own };
    return { kind: "opaque", text: keepText(raw), pieces, condition };
  });
}

export const isBrace = (piece: string): piece is Brace => piece === "{" || piece === "}";

/** Nothing that an expansion, an escape or the script tokeniser may read in another way; and no stray separators. */
const isPlain = (code: string): boolean => !/[$\\'\f\v\r]/.test(code);

/** Blanks after a backslash or a CR count: without them it would stand at the end of the line. */
const keepText = (raw: string): string => (/[\\\r]/.test(raw) ? raw.replace(/^[ \t]+/, "") : trim(raw));

const trim = (text: string): string => text.replace(/^[ \t]+|[ \t]+$/g, "");

const trimComment = (text: string): string => text.replace(/^[ \t]+|[ \t\r]+$/g, "");

/** One blank for many, but not within double quotes. */
const collapse = (piece: string): string =>
  piece.replace(/"[^"]*"|[ \t]+/g, (match) => (match.startsWith('"') ? match : " "));

interface Pieces {
  readonly pieces: string[];
  readonly opaque: boolean;
  readonly condition: Condition | undefined;
  readonly definition: boolean;
}

/** Each piece between braces is read as a line of its own (grammar section 5), so each may be one of a special kind. */
function splitPieces(line: Text): Pieces {
  const pieces: string[] = [];
  let condition: Condition | undefined;
  let opaque = false;
  for (let rest: Text | undefined = line; rest !== undefined; ) {
    const head = /^@(\^?)([^ \t]*)[ \t]*/.exec(rest.value);
    if (head !== null) {
      opaque = true;
      condition ??= { id: head[2] ?? "", negated: head[1] === "^" };
      rest = textOf(rest.value.slice(head[0].length));
    }
    if (/^\$[A-Za-z_][A-Za-z0-9_]*=/.test(rest.value)) return { pieces, opaque: true, condition, definition: true };
    if (parseInclude(rest.value) !== undefined) return { pieces, opaque: true, condition, definition: false };
    if (isSequence(rest.value) || /^include[rmwba]?(?=[{}]|$)/.test(rest.value)) opaque = true;
    const [piece, tail]: [Text, Text | undefined] = splitAtBrace(withoutUses(rest));
    pieces.push(piece.value);
    rest = tail;
  }
  return { pieces, opaque, condition, definition: false };
}

/** The braces of `${NAME}` are none; the line keeps its text because of the `$`. */
const withoutUses = (line: Text): Text =>
  line.value.includes("${") ? textOf(line.value.replace(/\$\{[A-Za-z_][ \tA-Za-z0-9_]*\}/g, "$")) : line;
