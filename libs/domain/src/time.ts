// Two kinds of time: a duration in microseconds, and a point on CLOCK_BOOTTIME. Wall-clock time never decides anything.
import { assert } from "./assert.ts";

declare const microsBrand: unique symbol;
declare const instantBrand: unique symbol;

/** A duration in whole microseconds, the unit keepalived computes in. */
export type Micros = number & { readonly [microsBrand]: true };

/** A point in time: microseconds of CLOCK_BOOTTIME (counts through suspend; SAFETY S20). Comparable on one node only. */
export type Instant = number & { readonly [instantBrand]: true };

export function micros(value: number): Micros {
  // Called thousands of times a second: the sentence is made only when it is needed.
  if (!Number.isSafeInteger(value)) assert(false, `microseconds are whole: ${value}`);
  return value as Micros;
}

export function instant(value: number): Instant {
  if (!Number.isSafeInteger(value)) assert(false, `an instant is whole microseconds: ${value}`);
  return value as Instant;
}

/** Rounds to the nearest microsecond; keepalived's TIMER values have at most six decimals. */
export const secondsToMicros = (seconds: number): Micros => micros(Math.round(seconds * 1_000_000));
export const millisToMicros = (millis: number): Micros => micros(Math.round(millis * 1_000));
export const centisecondsToMicros = (centiseconds: number): Micros => micros(Math.round(centiseconds * 10_000));
export const toSeconds = (duration: Micros): number => duration / 1_000_000;
export const toMillis = (duration: Micros): number => duration / 1_000;

export const addMicros = (at: Instant, duration: number): Instant => instant(at + Math.round(duration));
/** `later - earlier`; negative when the order is reversed. */
export const microsSince = (later: Instant, earlier: Instant): Micros => micros(later - earlier);
