// Adverts to peers instead of a group: what keepalived makes of the keywords that belong to it.
import type { IpAddress } from "@baton/domain";
import type { UnicastConfig, UnicastPeerConfig } from "../config.ts";
import type { Keyword } from "../keywords/table.ts";
import { vrrpInstance } from "../keywords/vrrp-instance.ts";
import type { Place } from "../report.ts";
import { type Block, entries, isSet, lists, setting, value } from "../syntax/tree.ts";
import { adjust, inform, type ResolveContext, reject } from "./context.ts";
import { requireInterface } from "./interface.ts";

const { keywords } = vrrpInstance;

export interface UnicastContext extends ResolveContext {
  readonly family: 4 | 6;
  readonly strict: boolean;
  readonly interface: string | undefined;
  readonly sourceAddress: IpAddress | undefined;
  readonly dynamicInterfaces: boolean;
  readonly checkUnicastSource: boolean;
}

/** Where unicast is spoken of first: that alone changes what keepalived makes of other keywords. */
export function unicastPlace(block: Block<string>): Place | undefined {
  const { unicastSource, unicastFaultNoPeer, checkUnicastSource, oldUnicastChecksum } = keywords;
  const words: Keyword<unknown>[] = [unicastSource, unicastFaultNoPeer, checkUnicastSource, oldUnicastChecksum];
  const places = [...lists(block, keywords.unicastPeer), ...words.flatMap((word) => setting(block, word) ?? [])];
  return places.toSorted((a, b) => a.order - b.order)[0]?.place;
}

/** undefined: adverts go to a group. */
export function resolveUnicast(
  block: Block<string>,
  peers: readonly UnicastPeerConfig[],
  context: UnicastContext,
): UnicastConfig | undefined {
  const vrf = resolveVrf(block, peers.length > 0, context);
  const ttl = setting(block, keywords.unicastTtl);
  if (peers.length === 0) {
    if (ttl !== undefined) reject(context, ttl.place, "no-peers", "unicast_ttl without unicast_peer has no effect");
    tellNoPeers(block, context);
    return undefined;
  }
  const place = lists(block, keywords.unicastPeer)[0]?.place ?? block.place;
  if (context.strict && context.interface !== undefined) {
    const message = `strict: ${context.interface} has multicast, so there are no peers`;
    reject(
      context,
      place,
      "unicast-strict",
      message,
      "keepalived would not start: remove unicast_peer, or vrrp_strict",
    );
  }
  return {
    peers,
    ttl: ttl?.value ?? (context.family === 4 ? 255 : undefined),
    checkSource: isSet(block, keywords.checkUnicastSource) || context.checkUnicastSource || hasLimits(block),
    oldChecksum: value(block, keywords.oldUnicastChecksum) ?? "auto",
    vrf,
  };
}

/** Limits for one peer mean that others are not heard. */
const hasLimits = (block: Block<string>): boolean =>
  entries(block, keywords.unicastPeer).some(({ words }) => words.length > 2);

/** keepalived falls back to multicast, and says so, unless it is told not to. */
function tellNoPeers(block: Block<string>, context: UnicastContext): void {
  const place = unicastPlace(block);
  if (place === undefined) return;
  if (isSet(block, keywords.unicastFaultNoPeer)) {
    const message = `vrrp_instance ${block.header} has no peers to speak to and stays in fault`;
    return inform(context, place, "no-peers", message, "add unicast_peer");
  }
  context.report({
    place,
    severity: "warning",
    code: "deprecated",
    errorClass: "deprecated",
    message: "unicast without a unicast_peer means multicast",
    hint: isSet(block, keywords.unicastSource) ? "write mcast_src_ip for the source address of adverts" : undefined,
  });
}

function resolveVrf(block: Block<string>, hasPeers: boolean, context: UnicastContext): string | undefined {
  const given = setting(block, keywords.vrf);
  if (given === undefined || !requireInterface(given.value, given.place, context, context.dynamicInterfaces))
    return undefined;
  if (hasPeers && context.interface === undefined) return given.value;
  const reason = context.interface === undefined ? "peers" : "an instance without interface";
  adjust(context, given.place, "vrf", `vrf is for ${reason} only; it is ignored`);
  return undefined;
}
