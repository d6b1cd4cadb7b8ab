// A logical line as all of keepalived's processes see it: split into words once, looked at by each of them.
import type { KeywordLine } from "../keywords/table.ts";
import type { Place, Problem } from "../report.ts";
import type { LogicalLine } from "../source/line-reader.ts";
import { splitWords, type Word } from "../source/words.ts";
import { placesOf } from "./tree.ts";

export interface Line {
  readonly source: LogicalLine;
  readonly words: readonly [Word, ...Word[]];
  /** Where a `"` stands that is never closed. */
  readonly openQuote: Place | undefined;
  /** Rises through the file. */
  readonly order: number;
  at(word?: Word): Place;
  /** Of the first process that did not know it. */
  unknown: (() => Problem) | undefined;
}

/** undefined: it holds white space only. */
export function lineOf(source: LogicalLine, order: number): Line | undefined {
  const { words, openQuote } = splitWords(source.text);
  if (!isFilled(words)) return undefined;
  return {
    source,
    words,
    openQuote: openQuote === undefined ? undefined : { file: source.file, line: source.line, column: openQuote },
    order,
    at: placesOf(source, words[0]),
    unknown: undefined,
  };
}

const isFilled = (words: readonly Word[]): words is Line["words"] => words.length > 0;

export function keywordLine({ words, source, at }: Line, secret = false): KeywordLine {
  const keyword = words[0];
  return { keyword, args: words.slice(1), text: source.text, at: secret ? hidden(at, keyword) : at };
}

const hidden =
  (at: Line["at"], { text }: Word): Line["at"] =>
  (word) => ({ ...at(word), text: `${text} …` });
