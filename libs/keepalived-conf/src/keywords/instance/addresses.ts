// What an instance puts on interfaces, and from where and where to it speaks.
import { instanceGroup, ip } from "../address-arguments.ts";
import { virtualAddressForm } from "../address-options.ts";
import { flag } from "../arguments.ts";
import { virtualRouteForm } from "../route-options.ts";
import { virtualRuleForm } from "../rule-options.ts";
import { noted, values, works } from "../table.ts";

export const addresses = {
  virtualAddresses: values("virtual_ipaddress", {
    form: virtualAddressForm,
    service: "dataplane",
    meaning: "The addresses that the master holds, and that its adverts tell.",
  }),
  excludedAddresses: values("virtual_ipaddress_excluded", {
    form: virtualAddressForm,
    service: "dataplane",
    meaning: "Addresses that the master holds, and that its adverts do not tell: of another family, or too many.",
  }),
  noVirtualAddress: works("no_virtual_ipaddress", flag, {
    meaning: "Says that it is meant to have no virtual address.",
    since: "2.2.8",
    default: "off",
  }),
  sourceAddress: works("mcast_src_ip", ip(), {
    meaning: "The address that adverts come from; the greater one wins among equal priorities.",
    default: "the primary address of the interface",
  }),
  multicastGroup: works("mcast_dst_ip", instanceGroup, {
    meaning: "The multicast group of its adverts.",
    default: "vrrp_mcast_group4 or 6",
  }),
  virtualRoutes: values("virtual_routes", {
    form: virtualRouteForm,
    service: "dataplane",
    meaning: "Routes that exist while the instance is master.",
  }),
  virtualRules: values("virtual_rules", {
    form: virtualRuleForm,
    service: "dataplane",
    meaning: "Routing rules that exist while the instance is master.",
  }),
  promoteSecondaries: works("promote_secondaries", flag, {
    meaning: "Lets the kernel keep the other addresses of a network when the first one goes.",
    service: "dataplane",
    default: "off",
  }),
  nativeIpv6: noted("native_ipv6", flag, "the family follows from the addresses", {
    meaning: "Says that the addresses are IPv6 ones, and the version of VRRP 3.",
    repeat: "all",
    default: "off",
  }),
} as const;
