// What would let an instance talk past its peers, so that all of them become master, or be taken for something else:
// refused until it is carried out.

import { vrrpInstance } from "../keywords/vrrp-instance.ts";
import { type Block, lists } from "../syntax/tree.ts";
import { type ResolveContext, refuse } from "./context.ts";
import type { Network } from "./network.ts";

const { keywords } = vrrpInstance;

/** What static addresses, routes and rules belong to in leases and events, where others belong to their instance. */
export const staticName = "(static)";

export function checkReach(block: Block<string>, network: Network, context: ResolveContext): void {
  if (block.header === staticName) {
    const message = `vrrp_instance ${staticName}: Baton calls static addresses, routes and rules so`;
    refuse(context, block.place, "refused", message, "give it another name");
  }
  if (network.interface !== undefined || network.interfaceMissing || network.unicastPeers.length === 0) return;
  const place = lists(block, keywords.unicastPeer)[0]?.place ?? block.place;
  const message = `vrrp_instance ${block.header}: an instance without interface is not carried out by this version`;
  refuse(context, place, "refused", message, "write the interface that its adverts leave by");
}
