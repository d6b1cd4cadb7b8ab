import { assert } from "./assert.ts";

declare const vridBrand: unique symbol;
declare const priorityBrand: unique symbol;
declare const termBrand: unique symbol;

/** Virtual Router Identifier, 1 to 255 (RFC 9568 section 5.2.3). */
export type Vrid = number & { readonly [vridBrand]: true };
/** Local priority, 1 to 255; 255 is the address owner. 0 exists on the wire only (RFC 9568 section 5.2.4). */
export type Priority = number & { readonly [priorityBrand]: true };
/** Rising number of each takeover, local to (boot, node, instance); never compared between nodes (SAFETY S4). */
export type Term = number & { readonly [termBrand]: true };

export const isVrid = (value: number): value is Vrid => Number.isInteger(value) && value >= 1 && value <= 255;
export const isPriority = (value: number): value is Priority => Number.isInteger(value) && value >= 1 && value <= 255;

export function vrid(value: number): Vrid {
  assert(isVrid(value), `VRID out of range: ${value}`);
  return value;
}

export function priority(value: number): Priority {
  assert(isPriority(value), `priority out of range: ${value}`);
  return value;
}

export function term(value: number): Term {
  assert(Number.isSafeInteger(value) && value >= 0, `term out of range: ${value}`);
  return value as Term;
}
