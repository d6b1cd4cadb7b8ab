// The standard tokeniser (grammar section 4): white space separates words, a word that starts with `"` runs to the next
// `"` and has no escapes. Single quotes are ordinary characters.
import { columnAt, type Text } from "./text.ts";

export interface Word {
  readonly text: string;
  readonly column: number;
}

export interface Words {
  readonly words: readonly Word[];
  /** Column of a `"` that is never closed; the rest of the line is lost. */
  readonly openQuote: number | undefined;
}

export function splitWords(line: Text): Words {
  const words: Word[] = [];
  const { value } = line;
  // Not \s: keepalived takes a no-break space or a byte-order mark for a letter.
  const token = /([ \t\f\n\r\v]*)(?:"([^"]*)(")?|([^ \t\f\n\r\v"]+))/y;
  for (let match = token.exec(value); match !== null; match = token.exec(value)) {
    const [, blanks = "", quoted, closed, bare] = match;
    const start = match.index + blanks.length;
    if (quoted !== undefined && closed === undefined) return { words, openQuote: columnAt(line, start) };
    words.push({ text: quoted ?? bare ?? "", column: columnAt(line, start) });
  }
  return { words, openQuote: undefined };
}
