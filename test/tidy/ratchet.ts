// What is longer than the limits allow, and how long it is at present. Entries only ever shrink or go.
import type { Ratchet } from "./code.ts";

/** By path. */
export const longFiles: Ratchet = {};

/** By path and function name: `libs/x/src/y.ts name`. */
export const longFunctions: Ratchet = {};

/** The same, with the functions inside counted. */
export const longClosures: Ratchet = {};

/** Packages that are being written and have no README yet. */
export const withoutReadme: readonly string[] = [];
