// Inputs that went wrong once, made short: each has to be right for ever.
import type { Input } from "./input.ts";

/** By what was wrong. */
export const regressions: Readonly<Record<string, Input>> = {};
