// The family of a route or rule: the first word that has one decides, and keepalived drops a line with both.
import { unspecifiedIp } from "@baton/domain";
import type { PrefixConfig } from "../config.ts";
import type { Selector } from "../keywords/prefix-arguments.ts";
import type { Place } from "../report.ts";
import { type ResolveContext, reject } from "./context.ts";

export interface FamilyOfLine {
  /** undefined: nothing said it; keepalived takes that for IPv4. */
  readonly value: 4 | 6 | undefined;
  /**
   * False, and reported: the line has another one. Everything (`default`), whose family is undefined, agrees with a line
   * that has none yet; `lost` says what is left out.
   */
  agree(family: 4 | 6 | undefined, place: Place, lost?: string): boolean;
}

export function familyOfLine(context: ResolveContext): FamilyOfLine {
  let current: 4 | 6 | undefined;
  return {
    get value() {
      return current;
    },
    agree: (family, place, lost = "the line is left out") => {
      if (current === undefined || family === current) {
        current = family;
        return true;
      }
      const which = family === undefined ? `'${place.text}' has no family` : `'${place.text}' is IPv${family}`;
      const all = current === 4 ? "0.0.0.0/0" : "::/0";
      const hint = family === undefined ? `write ${all}` : "write addresses of one family";
      reject(context, place, "address-family", `the line is IPv${current} so far, and ${which}; ${lost}`, hint);
      return false;
    },
  };
}

/** Everything is everything of the line's family. */
export const prefixOf = (selector: Selector, family: 4 | 6): PrefixConfig => ({
  address: selector.family === undefined ? unspecifiedIp(family) : selector.address,
  prefixLength: selector.prefixLength,
});
