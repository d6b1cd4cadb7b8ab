// `auth_hmac`: whether each router takes what the other one signs, or does not sign (keepalived drops an advert with a
// signature that it cannot verify in every mode, and where it has no auth_hmac, for its length).
import type { HmacConfig, HmacKeyConfig } from "../../config.ts";
import { instanceAuthHmac } from "../../keywords/vrrp-instance.ts";
import { block, routers } from "../example.ts";
import { nameOf } from "../pairs.ts";
import { type LintRule, perPair } from "../rule.ts";

const signed = (id: number, ...lines: readonly string[]): string =>
  block("auth_hmac", `key ${id} hex:${"0f".repeat(32)}`, `active_key ${id}`, ...lines);

const differentSignatures: LintRule = {
  name: "different-signatures",
  title: "One router does not take the adverts that another one signs, or does not sign",
  severity: "warning",
  why:
    "An advert whose signature cannot be verified is dropped, so both are master: both need the same keys under the same " +
    "numbers, and the same anti_replay. To bring auth_hmac to running routers, give all of them mode receive-only first, " +
    "then permissive, then enforce. Keys that stand in files of their own are not compared.",
  bad: routers([signed(1)], [signed(2)]),
  good: routers([signed(1)], [signed(1)]),
  by: "lint",
  check: perPair((pair, { places }) => {
    const { own, other } = pair;
    const [here, there] = [own.name, nameOf(pair)];
    const problem =
      reasonToDrop(own.authHmac, other.authHmac, here, there) ??
      reasonToDrop(other.authHmac, own.authHmac, there, here);
    if (problem === undefined) return undefined;
    return {
      place: places.inner(own, instanceAuthHmac),
      message: `${problem}: both would be master`,
      hint: "write the same auth_hmac block on all routers",
    };
  }),
};

/** Why the receiver drops what the sender sends; undefined: it does not. */
function reasonToDrop(
  receiver: HmacConfig | undefined,
  sender: HmacConfig | undefined,
  receiverName: string,
  senderName: string,
): string | undefined {
  if (sender === undefined || sender.mode === "receive-only") {
    return receiver?.mode === "enforce" ? `${receiverName} wants signatures, ${senderName} sends none` : undefined;
  }
  if (receiver === undefined) return `${senderName} signs its adverts, ${receiverName} has no auth_hmac`;
  const known = receiver.keys.find(({ id }) => id === sender.activeKey);
  if (known === undefined)
    return `${senderName} signs with key ${sender.activeKey}, which ${receiverName} does not have`;
  const used = sender.keys.find(({ id }) => id === sender.activeKey);
  if (used !== undefined && differ(known, used))
    return `key ${known.id} of ${receiverName} is not that of ${senderName}`;
  if (receiver.antiReplay === sender.antiReplay) return undefined;
  return `${receiverName} has anti_replay ${receiver.antiReplay}, ${senderName} ${sender.antiReplay}`;
}

/** What stands in a file is not known here. */
function differ(one: HmacKeyConfig, other: HmacKeyConfig): boolean {
  const [first, second] = [digitsOf(one), digitsOf(other)];
  return first !== undefined && second !== undefined && first !== second;
}

function digitsOf({ value }: HmacKeyConfig): string | undefined {
  if (value.from === "file") return undefined;
  if (value.from === "hex") return value.secret;
  return [...new TextEncoder().encode(value.secret)].map((octet) => octet.toString(16).padStart(2, "0")).join("");
}

export const signatureRules: readonly LintRule[] = [differentSignatures];
