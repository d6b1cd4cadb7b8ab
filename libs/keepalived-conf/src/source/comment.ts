// Comments (grammar section 3): `#` or `!` outside double quotes ends the line; `\#` and `\!` stand for the characters,
// once: keepalived's parent takes the backslashes away and passes the line on, and its children see comments there.
import type { Place, Problem } from "../report.ts";
import { columnAt, joinTexts, sliceText, type Text, textOf, trimText, withoutCharacters } from "./text.ts";

export interface Decommented {
  /** Without comment, escapes of comment characters, and blanks at both ends. Keeps a backslash that ends the line. */
  readonly text: Text;
  /** Index of a `"` that is never closed, in `text` as it was given. */
  readonly openQuote: number | undefined;
  /** Index of the `#` or `!` that starts the comment, in `text` as it was given. */
  readonly comment: number | undefined;
}

export function stripComment(line: Text): Decommented {
  const { value } = line;
  if (!/[!#"\\]/.test(value)) return { text: trimText(line), openQuote: undefined, comment: undefined };
  const escapes: number[] = [];
  let openQuote: number | undefined;
  let comment: number | undefined;
  let end = value.length;
  let continued = false;
  for (let i = 0; i < value.length; i++) {
    const character = value[i];
    if (character === '"') openQuote = openQuote === undefined ? i : undefined;
    else if (character === "\\") {
      if (i === value.length - 1) {
        // A backslash at the very end continues a definition; the blanks before it do not belong to the value.
        continued = true;
        end = i;
      } else {
        if (openQuote === undefined && /[#!]/.test(value[i + 1] ?? "")) escapes.push(i);
        i++;
      }
    } else if (openQuote === undefined && (character === "#" || character === "!")) {
      comment = i;
      end = i;
      break;
    }
  }
  const kept = trimText(withoutCharacters(sliceText(line, 0, end), escapes));
  return { text: continued ? withBackslash(kept) : kept, openQuote, comment };
}

const withBackslash = (text: Text): Text => joinTexts([text, textOf("\\", columnAt(text, text.value.length))]);

/** Comments and words see quotes with different eyes (escapes), and say the same of one that stays open. */
export const openQuoteProblem = (place: Place): Problem => ({
  // What follows may be a password: it is not repeated.
  place: { ...place, text: '"' },
  severity: "error",
  code: "open-quote",
  errorClass: "unmatched-quote",
  message: 'this " is not closed on its line; the rest of the line is lost',
  hint: "strings do not run over line ends",
});
