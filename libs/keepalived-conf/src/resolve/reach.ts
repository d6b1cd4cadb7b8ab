// What would let an instance talk past its peers, so that all of them become master: refused until it is carried out.
import { vrrpInstance } from "../keywords/vrrp-instance.ts";
import { type Block, lists, setting } from "../syntax/tree.ts";
import { type ResolveContext, refuse } from "./context.ts";
import { standardGroups } from "./defaults.ts";
import { isStandardGroup, type Network } from "./network.ts";

const { keywords } = vrrpInstance;

export function checkReach(block: Block<string>, network: Network, context: ResolveContext): void {
  const { family, multicastGroup, unicastPeers } = network;
  if (family === 6) {
    const message = `vrrp_instance ${block.header}: IPv6 is not carried out by this version`;
    refuse(context, block.place, "refused", message, "its peers would not hear it, and all would be master");
  }
  if (unicastPeers.length > 0) {
    const place = lists(block, keywords.unicastPeer)[0]?.place ?? block.place;
    const hint = "its peers would not hear the adverts, which go to the multicast group, and all would be master";
    refuse(context, place, "refused", "unicast_peer: not carried out by this version", hint);
  }
  if (multicastGroup === undefined || isStandardGroup(multicastGroup, family)) return;
  const place = setting(block, keywords.multicastGroup)?.place ?? block.place;
  const hint = `its peers would not hear adverts to ${standardGroups[family]}, and all would be master`;
  refuse(context, place, "refused", `adverts to the group ${multicastGroup}: not carried out by this version`, hint);
}
