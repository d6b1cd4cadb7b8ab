// How an instance knows its peers. `authentication`: a password of VRRPv2, in clear text or as a key of IPsec's header
// (RFC 3768 section 10 says what it is worth). `auth_hmac`: a signature behind each advert, which takes its place.
import { type Micros, secondsToMicros } from "@baton/domain";
import type { HmacConfig, HmacKeyConfig, InstanceConfig } from "../config.ts";
import { instanceAuthentication, instanceAuthHmac, vrrpInstance } from "../keywords/vrrp-instance.ts";
import { octetsOf } from "../source/text.ts";
import { type Block, blocksOf, type Setting, setting, settings, value } from "../syntax/tree.ts";
import { adjust, advise, type ResolveContext, reject } from "./context.ts";

/** The field of the packet (RFC 2338 section 5.3.10). */
const passwordOctetsMax = 8;

export interface AuthenticationContext extends ResolveContext {
  readonly family: 4 | 6;
  readonly version: 2 | 3;
  readonly strict: boolean;
}

export function resolveAuthentication(
  block: Block<string>,
  context: AuthenticationContext,
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
  const { family, version, strict } = context;
  const reason =
    blocksOf(block, instanceAuthHmac).length > 0
      ? "auth_hmac takes its place"
      : strict
        ? "strict mode has none"
        : version === 3
          ? "VRRPv3 has none"
          : password === ""
            ? "there is no password"
            : type.value === "AH" && family === 6
              ? "there is no AH for IPv6"
              : undefined;
  if (reason !== undefined) {
    reject(context, type.place, "auth-ignored", `authentication is ignored: ${reason}`);
    return undefined;
  }
  if (family === 6) {
    // keepalived 2.4.3 sends no password here, and looks for it in the last address.
    const message =
      "VRRPv2 over IPv6 has no place for a password: nobody checks it, and keepalived hears no such router";
    advise(context, type.place, "auth-ignored", message, "write version 3, or no authentication, on all of them");
  }
  return { type: type.value === "PASS" ? "pass" : "ah", password };
}

/** The first 8 octets count, on both sides; so both have to cut alike. */
function cutPassword({ value: password, place }: Setting<string>, context: ResolveContext): string {
  if (octetsOf(password) <= passwordOctetsMax) return password;
  let kept = "";
  for (const character of password) {
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

const { keywords } = instanceAuthHmac;

export function resolveAuthHmac(
  block: Block<string>,
  strict: boolean,
  context: ResolveContext,
): HmacConfig | undefined {
  const [first, ...others] = blocksOf(block, instanceAuthHmac);
  if (first === undefined) return undefined;
  // Several blocks add up.
  const all: Block = { ...first, settings: [first, ...others].flatMap((inner) => inner.settings) };
  const keys = resolveKeys(all, context);
  const active = setting(all, keywords.activeKey);
  if (active === undefined || !keys.has(active.value)) {
    const message =
      active === undefined ? "auth_hmac has no active_key" : `auth_hmac has no key ${active.value} to sign with`;
    reject(context, active?.place ?? first.place, "auth-ignored", `${message}; adverts are not signed`, {
      hint: "write key ID VALUE, and active_key ID",
    });
    return undefined;
  }
  const mode = setting(all, keywords.mode);
  if (strict && mode !== undefined && mode.value !== "enforce")
    adjust(context, mode.place, "strict", "strict: unsigned adverts are not heard", { used: "mode enforce" });
  return {
    keys: [...keys.values()],
    activeKey: active.value,
    antiReplay: value(all, keywords.antiReplay) ?? "time",
    timeWindow: resolveWindow(block, all),
    mode: strict ? "enforce" : (mode?.value ?? "enforce"),
  };
}

function resolveKeys(all: Block, context: ResolveContext): ReadonlyMap<number, HmacKeyConfig> {
  const keys = new Map<number, HmacKeyConfig>();
  for (const { value: key, place } of settings(all, keywords.key)) {
    if (keys.has(key.id)) reject(context, place, "repeated", `key ${key.id} was given before; this one is ignored`);
    else keys.set(key.id, key);
  }
  return keys;
}

/** keepalived makes it of the interval as it is written, before that is rounded and before its default counts. */
function resolveWindow(block: Block<string>, all: Block): Micros {
  const given = value(all, keywords.timeWindow);
  if (given !== undefined) return secondsToMicros(given);
  const seconds = Math.floor((value(block, vrrpInstance.keywords.advertInterval) ?? 0) / 1_000_000);
  return secondsToMicros(Math.min(300, Math.max(5, 3 * seconds)));
}
