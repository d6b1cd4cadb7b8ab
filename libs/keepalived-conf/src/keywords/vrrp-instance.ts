// `vrrp_instance`: one virtual router.
import { addresses } from "./instance/addresses.ts";
import { announcement } from "./instance/announcement.ts";
import { authentication, authHmac } from "./instance/authentication.ts";
import { election } from "./instance/election.ts";
import { notification } from "./instance/notification.ts";
import { tracking } from "./instance/tracking.ts";
import { unicast } from "./instance/unicast.ts";
import { virtualMac } from "./instance/virtual-mac.ts";
import { onlyName } from "./line-arguments.ts";
import { block } from "./table.ts";

export const vrrpInstance = block("vrrp_instance", {
  meaning: "A virtual router: its addresses, and how it agrees with the others on who holds them.",
  service: "election",
  header: onlyName,
  owners: ["vrrp"],
  unique: true,
  keywords: {
    ...election,
    ...addresses,
    ...announcement,
    ...tracking,
    ...notification,
    ...unicast,
    ...virtualMac,
  },
  blocks: [authentication, authHmac],
  misnomers: {
    vrid: "virtual_router_id",
    prio: "priority",
    vip: "virtual_ipaddress",
    vips: "virtual_ipaddress",
    virtual_ip: "virtual_ipaddress",
    virtual_address: "virtual_ipaddress",
    advert_interval: "advert_int",
    advertisement_interval: "advert_int",
    interval: "advert_int",
    dev: "interface",
    device: "interface",
    auth: "authentication",
    peers: "unicast_peer",
    source_ip: "unicast_src_ip",
    vmac: "use_vmac",
    notify_script: "notify",
    preempt_mode: "nopreempt",
    lvs_sync_daemon_inteface: "lvs_sync_daemon_interface",
  },
});

export const instanceAuthentication = authentication;
export const instanceAuthHmac = authHmac;
