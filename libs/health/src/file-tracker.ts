// A track_file as a value: the number at the beginning of a file. What the number does to an instance is the election's.
import type { BatonEventOf } from "@baton/domain";

/** Read at most; a number is shorter. keepalived's buffer. */
export const fileBytesMax = 127;

const int32Max = 2 ** 31;

/**
 * As strtol with base 0: white space, a sign, digits in base 16 after 0x, 8 after 0, else 10; what follows is not looked
 * at, and no digits are 0. Undefined: beyond 32 bits, which is no number that anybody meant.
 */
export function readTrackedNumber(text: string): number | undefined {
  const match = /^[ \t\n\v\f\r]*([+-]?)(?:0[xX]([0-9a-fA-F]+)|(0[0-7]*)|([1-9][0-9]*))/.exec(
    text.slice(0, fileBytesMax),
  );
  if (match === null) return 0;
  const [, sign, hex, octal, decimal = "0"] = match;
  const size = hex !== undefined ? parseInt(hex, 16) : octal !== undefined ? parseInt(octal, 8) : parseInt(decimal, 10);
  const value = sign === "-" ? -size : size;
  if (value < -int32Max || value > int32Max) return undefined;
  return value === 0 ? 0 : value;
}

export interface FileTracker {
  readonly name: string;
  readonly path: string;
  /** Undefined: nothing was read yet. */
  readonly value: number | undefined;
}

/** Undefined `text`: there is no such file, which is 0. An event if the number is another than before. */
export function learnFile(
  state: FileTracker,
  text: string | undefined,
): { state: FileTracker; event: BatonEventOf<"file-changed"> | undefined; ignored: boolean } {
  const value = text === undefined ? 0 : readTrackedNumber(text);
  if (value === undefined) return { state, event: undefined, ignored: true };
  if (value === state.value) return { state, event: undefined, ignored: false };
  const { name, path } = state;
  return {
    state: { ...state, value },
    event: { type: "file-changed", data: { file: name, path, value } },
    ignored: false,
  };
}
