// What would let an instance talk past its peers, so that all of them become master: refused until it is carried out.
import { parseIp } from "@baton/domain";
import { vrrpInstance } from "../keywords/vrrp-instance.ts";
import { type Block, lists, setting } from "../syntax/tree.ts";
import type { InstanceAddresses } from "./addresses.ts";
import { type ResolveContext, refuse } from "./context.ts";
import type { Defaults } from "./global.ts";

const { keywords } = vrrpInstance;

interface ReachContext extends ResolveContext {
  readonly defaults: Defaults;
}

export function checkReach(block: Block<string>, network: InstanceAddresses, context: ReachContext): void {
  if (network.family === 6) {
    const hint = "its peers would not hear it, and all would be master";
    refuse(
      context,
      block.place,
      "refused",
      `vrrp_instance ${block.header}: IPv6 is not carried out by this version`,
      hint,
    );
  }
  if (network.unicastPeers.length > 0) {
    const place = lists(block, keywords.unicastPeer)[0]?.place ?? block.place;
    const hint = "its peers would not hear the adverts, which go to the multicast group, and all would be master";
    refuse(context, place, "refused", "unicast_peer: not carried out by this version", hint);
  } else checkUnicastSource(block, context);
  checkGroup(block, network, context);
}

/** keepalived falls back to multicast, and says so. */
function checkUnicastSource(block: Block<string>, context: ReachContext): void {
  const given = setting(block, keywords.unicastSource);
  if (given === undefined) return;
  context.report({
    place: given.place,
    severity: "warning",
    code: "deprecated",
    errorClass: "deprecated",
    message: "unicast without a unicast_peer means multicast",
    hint: "write mcast_src_ip for the source address of adverts",
  });
}

function checkGroup(block: Block<string>, network: InstanceAddresses, context: ReachContext): void {
  const { multicastGroup4, multicastGroup6 } = context.defaults;
  const inherited = network.family === 4 ? multicastGroup4 : multicastGroup6;
  const own = setting(block, keywords.multicastGroup);
  const group = own?.value ?? inherited;
  const standard = network.family === 4 ? "224.0.0.18" : "ff02::12";
  if (group === undefined || group === parseIp(standard)) return;
  const hint = `its peers would not hear adverts to ${standard}, and all would be master`;
  refuse(
    context,
    own?.place ?? block.place,
    "refused",
    `adverts to the group ${group}: not carried out by this version`,
    hint,
  );
}
