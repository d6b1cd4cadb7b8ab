// The kernel's routes and rules: read by dumps that the kernel filters, changed in batches, watched. As the table of
// addresses, it wants nothing itself.
import type { NetlinkRequest } from "./netlink-message.ts";
import { NETLINK_ROUTE, openNetlinkClient, openNetlinkWatch } from "./netlink-socket.ts";
import {
  decodeRouteEvent,
  encodeRouteAddition,
  encodeRouteRemoval,
  RTM_GETROUTE,
  routeDumpBody,
} from "./route-message.ts";
import type { RouteInfo, RoutingChange, RoutingEvent, RoutingTable, RoutingTableOptions, RuleSpec } from "./routing.ts";
import { decodeRuleEvent, encodeRuleAddition, encodeRuleRemoval, RTM_GETRULE, ruleDumpBody } from "./rule-message.ts";

const RTMGRP_IPV4_ROUTE = 0x40;
const RTMGRP_IPV4_RULE = 0x80;
const RTMGRP_IPV6_ROUTE = 0x400;
const RTMGRP_IPV6_RULE = 1 << 18;

export function openRoutingTable(options: RoutingTableOptions = {}): RoutingTable {
  // A machine may have a million routes of a routing daemon: the kernel itself picks out ours.
  const client = openNetlinkClient(NETLINK_ROUTE, { strict: true });
  const watch =
    options.onChange === undefined && options.onGap === undefined
      ? undefined
      : openNetlinkWatch<RoutingEvent>(
          NETLINK_ROUTE,
          RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE | RTMGRP_IPV4_RULE | RTMGRP_IPV6_RULE,
          (message) => decodeRouteEvent(message) ?? decodeRuleEvent(message),
          (events) => options.onChange?.(events),
          () => options.onGap?.(),
        );
  return {
    list: (protocols) => {
      const wanted = new Set(protocols);
      const routes: RouteInfo[] = [];
      const rules: RuleSpec[] = [];
      for (const family of [4, 6] as const) {
        for (const protocol of wanted) {
          const found = client.dump(RTM_GETROUTE, routeDumpBody(family, protocol), (message) => {
            const route = decodeRouteEvent(message)?.route;
            return route?.protocol === protocol ? route : undefined;
          });
          for (const route of found) routes.push(route);
        }
        const found = client.dump(RTM_GETRULE, ruleDumpBody(family), (message) => decodeRuleEvent(message)?.rule);
        for (const rule of found) if (wanted.has(rule.protocol)) rules.push(rule);
      }
      return { routes, rules };
    },
    change: (batch) => client.change(batch.map(encodeChange)),
    close: () => {
      watch?.close();
      client.close();
    },
  };
}

function encodeChange(change: RoutingChange): NetlinkRequest {
  switch (change.op) {
    case "add-route":
      return encodeRouteAddition(change.route);
    case "delete-route":
      return encodeRouteRemoval(change.route);
    case "add-rule":
      return encodeRuleAddition(change.rule);
    case "delete-rule":
      return encodeRuleRemoval(change.rule);
  }
}
