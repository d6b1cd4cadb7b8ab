// How the stages of the parser say what is wrong: they report and go on, they never throw.
import type { ErrorClass, Severity } from "./diagnostics.ts";

export interface Place {
  readonly file: string;
  /** 1-based; 0: the file as a whole. */
  readonly line: number;
  readonly column: number;
  /** What stands there: a word, or the whole line of a keyword. */
  readonly text?: string | undefined;
}

export interface Problem {
  readonly place: Place;
  readonly severity: Severity;
  readonly code: string;
  readonly errorClass: ErrorClass;
  readonly message: string;
  /** A function where it takes a while to find: it is asked of those problems alone that are told. */
  readonly hint?: string | (() => string | undefined) | undefined;
  /** What counts in place of the text. */
  readonly used?: string | undefined;
}

export type Report = (problem: Problem) => void;
