// How a master tells the network where its addresses are now: gratuitous ARP, unsolicited neighbour advertisements.
import { int32Max, integer, seconds, uint32Max } from "../arguments.ts";
import { extraInterfaces, repeatCount } from "../line-arguments.ts";
import { alias, works } from "../table.ts";

const garpExtraInterface = works("garp_extra_if", extraInterfaces(0), {
  meaning: "How often addresses on other interfaces are announced; all: without a VMAC too; 0: never.",
  service: "dataplane",
  default: "vrrp_garp_extra_if",
});

export const announcement = {
  garpDelay: works("garp_master_delay", seconds({ decimals: 0 }), {
    meaning: "How long after the takeover the addresses are announced for a second time; 0: not at all.",
    service: "dataplane",
    default: "vrrp_garp_master_delay",
  }),
  garpRepeat: works("garp_master_repeat", repeatCount, {
    meaning: "How many announcements of each address make one burst.",
    service: "dataplane",
    default: "vrrp_garp_master_repeat",
  }),
  garpRefresh: works("garp_master_refresh", seconds({ decimals: 0, max: uint32Max, instead: 0 }), {
    meaning: "How often a master announces its addresses again; 0: never.",
    service: "dataplane",
    default: "vrrp_garp_master_refresh",
  }),
  garpRefreshRepeat: works("garp_master_refresh_repeat", repeatCount, {
    meaning: "How many announcements of each address make one refresh.",
    service: "dataplane",
    default: "vrrp_garp_master_refresh_repeat",
  }),
  garpLowerPriorityDelay: works("garp_lower_prio_delay", seconds({ decimals: 0 }), {
    meaning: "How long after an advert of lower priority a master announces for a second time.",
    service: "dataplane",
    default: "vrrp_garp_lower_prio_delay",
  }),
  garpLowerPriorityRepeat: works("garp_lower_prio_repeat", integer({ min: 0, max: int32Max }), {
    meaning: "How many announcements of each address follow an advert of lower priority; 0: none.",
    service: "dataplane",
    default: "vrrp_garp_lower_prio_repeat",
  }),
  garpExtraInterface,
  vmacGarpInterval: alias("vmac_garp_intvl", garpExtraInterface, "write garp_extra_if"),
} as const;
