// What a keepalived.conf means: the typed Config that the services use. Defaults and inheritance are resolved;
// durations are microseconds, addresses canonical. Plain JSON throughout: it is stored in the snapshot as it is.
import type { GlobalConfig } from "./config/global.ts";
import type { InstanceConfig, SyncGroupConfig } from "./config/instance.ts";
import type { TrackScriptConfig } from "./config/tracking.ts";
import type { VirtualServerConfig } from "./config/virtual-server.ts";

export type { UnicastPeerConfig, VirtualAddressConfig } from "./config/addresses.ts";
export type { Command, ScriptUser } from "./config/command.ts";
export type { GlobalConfig } from "./config/global.ts";
export type { GarpConfig, InstanceConfig, NotifyConfig, SyncGroupConfig } from "./config/instance.ts";
export type { TrackRef, TrackScriptConfig } from "./config/tracking.ts";
export type { CheckerConfig, RealServerConfig, VirtualServerConfig } from "./config/virtual-server.ts";

export interface Config {
  readonly global: GlobalConfig;
  /** Those that an instance tracks: others do not run. */
  readonly scripts: readonly TrackScriptConfig[];
  readonly instances: readonly InstanceConfig[];
  readonly syncGroups: readonly SyncGroupConfig[];
  readonly virtualServers: readonly VirtualServerConfig[];
}
