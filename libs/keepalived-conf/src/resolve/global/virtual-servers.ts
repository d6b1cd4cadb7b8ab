// What global_defs says about virtual servers, and about packets to virtual addresses.
import type { FirewallConfig, LvsGlobals, SyncDaemonConfig } from "../../config.ts";
import type { SyncDaemon } from "../../keywords/global-arguments.ts";
import { globalDefs } from "../../keywords/global-defs.ts";
import { vrrpInstance } from "../../keywords/vrrp-instance.ts";
import { type Block, blocksOf, isSet, setting, value } from "../../syntax/tree.ts";
import { advise, type ResolveContext } from "../context.ts";

const { keywords } = globalDefs;

export function resolveLvs(root: Block, globals: Block, context: ResolveContext): LvsGlobals {
  const none = { tcp: undefined, tcpFin: undefined, udp: undefined };
  const table = value(globals, keywords.nftablesIpvs);
  return {
    timeouts: value(globals, keywords.lvsTimeouts) ?? none,
    flushOnStart: isSet(globals, keywords.lvsFlush),
    flushOnStop: value(globals, keywords.lvsFlushOnStop) ?? "no",
    syncDaemon: resolveSyncDaemon(root, globals, context),
    nftables:
      table === undefined
        ? undefined
        : {
            table,
            priority: value(globals, keywords.nftablesIpvsPriority) ?? -1,
            firstMark: value(globals, keywords.nftablesIpvsMark) ?? 1000,
            counters: isSet(globals, keywords.nftablesCounters),
          },
    initNotifies: value(globals, keywords.realServerInitNotifies) ?? false,
  };
}

/** It may stand in global_defs, or as it once did in an instance; the first of all counts. */
function resolveSyncDaemon(root: Block, globals: Block, context: ResolveContext): SyncDaemonConfig | undefined {
  const given = setting(globals, keywords.lvsSyncDaemon);
  const instances = blocksOf(root, vrrpInstance);
  if (given === undefined) {
    const old = instances.find((block) => isSet(block, vrrpInstance.keywords.syncDaemonInterface));
    const name = old && value(old, vrrpInstance.keywords.syncDaemonInterface);
    return old === undefined || name === undefined
      ? undefined
      : withId({ ...noOptions, interface: name, instance: old.header }, old);
  }
  const { value: daemon, place } = given;
  const instance = instances.find(({ header }) => header === daemon.instance);
  if (daemon.instance === undefined || instance !== undefined) return withId(daemon, instance);
  // Only noticed when it starts, not when a configuration is tried.
  const message = `lvs_sync_daemon: there is no vrrp_instance ${daemon.instance}; the daemon is not started`;
  advise(context, place, "instance-unknown", message);
  return undefined;
}

const noOptions = { id: undefined, maxLength: undefined, port: undefined, ttl: undefined, group: undefined };

const withId = (daemon: SyncDaemon, instance: Block | undefined): SyncDaemonConfig => ({
  ...daemon,
  id: daemon.id ?? (instance && value(instance, vrrpInstance.keywords.virtualRouterId)) ?? 0,
});

export function resolveFirewall(globals: Block): FirewallConfig {
  const table = value(globals, keywords.nftables);
  const chains = value(globals, keywords.iptables);
  const sets = value(globals, keywords.ipsets);
  const iptables = chains && { ...chains, sets: sets === "none" ? undefined : (sets ?? defaultSets) };
  const nftables =
    table === undefined
      ? undefined
      : {
          table,
          priority: value(globals, keywords.nftablesPriority) ?? -1,
          byIndex: isSet(globals, keywords.nftablesIndex),
          counters: isSet(globals, keywords.nftablesCounters),
        };
  // keepalived prefers nftables where both are asked for.
  return { iptables: nftables === undefined ? iptables : undefined, nftables };
}

const defaultSets = {
  address: "keepalived",
  address6: "keepalived6",
  addressInterface6: "keepalived_if6",
  igmp: "keepalived_igmp",
  mld: "keepalived_mld",
  neighbour: "keepalived_nd",
};
