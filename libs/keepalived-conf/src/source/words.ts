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

const quote = 0x22;

/** Of every line: character by character is several times as fast as a regular expression. */
export function splitWords(line: Text): Words {
  const words: Word[] = [];
  const { value } = line;
  for (let at = 0; at < value.length; ) {
    const code = value.charCodeAt(at);
    if (isSpace(code)) {
      at++;
      continue;
    }
    const start = at;
    const column = columnAt(line, start);
    if (code === quote) {
      const end = value.indexOf('"', start + 1);
      if (end < 0) return { words, openQuote: column };
      words.push({ text: value.slice(start + 1, end), column });
      at = end + 1;
    } else {
      at = bareEnd(value, start);
      words.push({ text: value.slice(start, at), column });
    }
  }
  return { words, openQuote: undefined };
}

function bareEnd(value: string, start: number): number {
  let at = start + 1;
  for (; at < value.length; at++) {
    const code = value.charCodeAt(at);
    if (code === quote || isSpace(code)) break;
  }
  return at;
}

/** Blank, tab, line feed, vertical tab, form feed, carriage return. */
const isSpace = (code: number): boolean => code === 0x20 || (code >= 0x09 && code <= 0x0d);
