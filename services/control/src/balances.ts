// Whether there is something for the balancer to do: without that it is not started.
import type { Config } from "@baton/keepalived-conf";

/** keepalived's lvs_sync_daemon shares connections also of services that somebody else has made. */
export const balances = ({ virtualServers, global }: Pick<Config, "virtualServers" | "global">): boolean =>
  virtualServers.length > 0 || global.lvs.syncDaemon !== undefined;
