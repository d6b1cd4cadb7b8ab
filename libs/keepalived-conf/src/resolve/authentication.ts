// `authentication`: a password of VRRPv2, in clear text. RFC 3768 section 10 says what it is worth.
import type { InstanceConfig } from "../config.ts";
import { instanceAuthentication, instanceAuthHmac } from "../keywords/vrrp-instance.ts";
import { octetsOf } from "../source/text.ts";
import { type Block, blocksOf, type Setting, settings } from "../syntax/tree.ts";
import { adjust, advise, type ResolveContext, refuse, reject } from "./context.ts";

/** The field of the packet (RFC 2338 section 5.3.10). */
const passwordOctetsMax = 8;

export function resolveAuthentication(
  block: Block<string>,
  version: 2 | 3,
  strict: boolean,
  context: ResolveContext,
): InstanceConfig["authentication"] {
  const found = blocksOf(block, instanceAuthentication);
  const type = found.flatMap((inner) => settings(inner, instanceAuthentication.keywords.type)).at(-1);
  const given = found.flatMap((inner) => settings(inner, instanceAuthentication.keywords.password)).at(-1);
  const password = given === undefined ? "" : cutPassword(given, context);
  if (type === undefined) {
    if (given !== undefined)
      advise(context, given.place, "auth-type", "auth_pass without auth_type has no effect", "write auth_type PASS");
    return undefined;
  }
  const reason =
    blocksOf(block, instanceAuthHmac).length > 0
      ? "auth_hmac takes its place"
      : strict
        ? "strict mode has none"
        : version === 3
          ? "VRRPv3 has none"
          : password === ""
            ? "there is no password"
            : undefined;
  if (reason !== undefined) {
    reject(context, type.place, "auth-ignored", `authentication is ignored: ${reason}`);
    return undefined;
  }
  if (type.value === "PASS") return { type: "pass", password };
  refuse(
    context,
    type.place,
    "refused",
    "auth_type AH: not carried out by this version",
    "write auth_type PASS on all routers of the group; AH protects no better than a switched network does",
  );
  return undefined;
}

/** The first 8 octets count, on both sides; so both have to cut alike. */
function cutPassword({ value, place }: Setting<string>, context: ResolveContext): string {
  if (octetsOf(value) <= passwordOctetsMax) return value;
  let kept = "";
  for (const character of value) {
    if (octetsOf(kept + character) > passwordOctetsMax) break;
    kept += character;
  }
  const whole = octetsOf(kept) === passwordOctetsMax;
  adjust(context, place, "auth-pass-cut", `auth_pass is cut to its first ${passwordOctetsMax} octets`, {
    hint: whole
      ? "passwords that begin alike are the same password"
      : "keepalived cuts inside of a character here and would not agree: use ASCII",
  });
  return kept;
}
