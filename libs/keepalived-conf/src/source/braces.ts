// Braces (grammar section 5): the first one outside double quotes splits a line; each is a line of its own.
import { sliceText, type Text, trimText } from "./text.ts";

const quote = 0x22;

const isBrace = (code: number): boolean => code === 0x7b || code === 0x7d;

/** The line up to the first brace outside double quotes, or the brace itself; and what follows. */
export function splitAtBrace(text: Text): [Text, Text | undefined] {
  const { value } = text;
  if (isBrace(value.charCodeAt(0))) {
    const tail = trimText(sliceText(text, 1));
    return [sliceText(text, 0, 1), tail.value === "" ? undefined : tail];
  }
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i);
    if (code === quote) {
      i = value.indexOf('"', i + 1);
      if (i < 0) return [text, undefined];
    } else if (isBrace(code)) {
      return [trimText(sliceText(text, 0, i)), trimText(sliceText(text, i))];
    }
  }
  return [text, undefined];
}
