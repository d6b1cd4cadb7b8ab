// Inputs that went wrong once, made short: each has to be right for ever.
import type { Input } from "./input.ts";

/** By what was wrong. */
export const regressions: Readonly<Record<string, Input>> = {
  "a byte-order mark before a word that is no UTF-8": { main: "\xef\xbb\xbfL\xbf" },
  "a byte-order mark that comes to stand first when a blank line above it goes": { main: "\n\xef\xbb\xbf" },
  "a byte-order mark behind a byte-order mark": { main: "\xef\xbb\xbf\xef\xbb\xbf" },
};
