// Adverts to each peer, where there is no multicast.
import { ip } from "../address-arguments.ts";
import { flag, integer, interfaceName, invalidValue } from "../arguments.ts";
import { wholeLine } from "../line-arguments.ts";
import { peerForm } from "../peer-options.ts";
import { noted, values, works } from "../table.ts";

const oldChecksum = wholeLine("[never]", (line, report) => {
  const word = line.args[0];
  if (word === undefined) return "always";
  return word.text === "never" ? "never" : invalidValue(word, line, report, "never, or nothing");
});

export const unicast = {
  unicastPeer: values("unicast_peer", {
    form: peerForm,
    service: "election",
    meaning: "The other routers, when adverts are to go to each of them rather than to the multicast group.",
  }),
  unicastSource: works("unicast_src_ip", ip(), {
    meaning: "The address that adverts to peers come from.",
    default: "the primary address of the interface",
  }),
  unicastTtl: works("unicast_ttl", integer({ min: 0, max: 255, strict: true }), {
    meaning: "The TTL or hop limit of adverts to peers.",
    default: "255; the kernel's for IPv6",
  }),
  unicastFaultNoPeer: works("unicast_fault_no_peer", flag, {
    meaning: "Goes into fault when it has no peers, and does not fall back to multicast.",
    default: "off",
  }),
  checkUnicastSource: works("check_unicast_src", flag, {
    meaning: "Drops adverts from senders that are no peers.",
    default: "vrrp_check_unicast_src; on with min_ttl or max_ttl",
  }),
  oldUnicastChecksum: works("old_unicast_checksum", oldChecksum, {
    meaning: "Makes checksums of VRRPv3 as keepalived did up to 1.3.6; never: not even for a peer that does.",
    default: "as the peer does",
  }),
  vrf: noted("vrf", interfaceName, "an instance without interface is refused", {
    meaning: "The routing domain of an instance that has peers and no interface.",
    repeat: "first",
    default: "none",
  }),
} as const;
