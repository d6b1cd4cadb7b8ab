import { describe, expect, test } from "vitest";
import { globalDefs } from "./global-defs.ts";
import { meantKeyword, meantNames } from "./meant.ts";
import { root } from "./root.ts";
import { virtualServer } from "./virtual-server.ts";
import { vrrpInstance } from "./vrrp-instance.ts";

describe("in a line of a block", () => {
  test.each([
    ["a slip of the pen", "priotity", vrrpInstance, "did you mean priority?"],
    ["a known mistake", "vrid", vrrpInstance, "did you mean virtual_router_id?"],
    ["in capitals", "VIP", vrrpInstance, "did you mean virtual_ipaddress?"],
    ["of a block inside", "auth_pass", vrrpInstance, "it belongs into authentication"],
    ["of another block", "rise", vrrpInstance, "it belongs into vrrp_script"],
    ["of several", "group", vrrpInstance, "it belongs into vrrp_sync_group or track_group"],
    ["of one that is wider", "use_vmac", globalDefs, "it belongs into vrrp_instance"],
    ["of many", "weight", vrrpInstance, "it belongs into another block"],
    ["for all instances", "garp_master_delay", globalDefs, "did you mean vrrp_garp_master_delay?"],
    ["of none", "vrrp_instance", vrrpInstance, "it stands outside of all blocks; is a '}' missing above?"],
    ["of a block, outside of all", "real_server", root, "it belongs into virtual_server"],
    ["a mistake of another block", "vrid", virtualServer, undefined],
    ["nothing like it", "frobnicate", vrrpInstance, undefined],
    ["a line that is to go on", "notify_master\\", vrrpInstance, expect.stringMatching(/backslash/)],
    ["a name that objects have", "constructor", vrrpInstance, undefined],
  ])("%s", (_what, name, block, hint) => expect(meantKeyword(name, block)).toEqual(hint));
});

test.each([
  ["vrid", ["virtual_router_id"]],
  ["vip", ["virtual_ipaddress"]],
  ["tcp_port", ["connect_port"]],
  ["http_get", ["HTTP_GET"]],
  ["auth", ["authentication", "auth_hmac", "auth_type", "auth_pass"]],
  ["advert_in", ["advert_int"]],
  ["frobnicate", []],
  ["__proto__", []],
])("%s, asked for alone", (name, expected) => expect(meantNames(name)).toEqual(expected));

test("names beside the keywords count, too", () => {
  expect(meantNames("equal-priority", ["equal-priorities", "other"])).toEqual(["equal-priorities"]);
});
