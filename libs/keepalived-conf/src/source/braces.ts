// Braces (grammar section 5): the first one outside double quotes splits a line; each is a line of its own.
import { sliceText, type Text, trimText } from "./text.ts";

/** The line up to the first brace outside double quotes, or the brace itself; and what follows. */
export function splitAtBrace(text: Text): [Text, Text | undefined] {
  const { value } = text;
  const first = value[0];
  if (first === "{" || first === "}") {
    const tail = trimText(sliceText(text, 1));
    return [sliceText(text, 0, 1), tail.value === "" ? undefined : tail];
  }
  for (let i = 0; i < value.length; i++) {
    if (value[i] === '"') {
      i = value.indexOf('"', i + 1);
      if (i < 0) return [text, undefined];
    } else if (value[i] === "{" || value[i] === "}") {
      return [trimText(sliceText(text, 0, i)), trimText(sliceText(text, i))];
    }
  }
  return [text, undefined];
}
