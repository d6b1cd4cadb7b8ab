// What a keepalived.conf means: the typed Config that the services use. Defaults and inheritance are resolved;
// durations are microseconds, addresses canonical. Plain JSON throughout: it is stored in the snapshot as it is.

import type { TlsConfig } from "./config/checker.ts";
import type { GlobalConfig } from "./config/global.ts";
import type { InstanceConfig, SyncGroupConfig } from "./config/instance.ts";
import type {
  GarpGroupConfig,
  InterfaceDelayConfig,
  PolledInterfaceConfig,
  StaticAddressConfig,
  StaticRouteConfig,
  StaticRuleConfig,
  TrackGroupConfig,
} from "./config/static.ts";
import type { BfdConfig, TrackFileConfig, TrackProcessConfig, TrackScriptConfig } from "./config/tracking.ts";
import type { VirtualServerConfig, VirtualServerGroupConfig } from "./config/virtual-server.ts";

export type { UnicastPeerConfig, VirtualAddressConfig } from "./config/addresses.ts";
export type {
  BfdCheckerConfig,
  CheckConnection,
  CheckerConfig,
  CheckTimes,
  DnsCheckerConfig,
  DnsType,
  FileCheckerConfig,
  HttpCheckerConfig,
  MiscCheckerConfig,
  PingCheckerConfig,
  RegexConfig,
  RegexOption,
  SmtpCheckerConfig,
  SslCheckerConfig,
  SslUrlConfig,
  StatusRange,
  TcpCheckerConfig,
  TlsConfig,
  UdpCheckerConfig,
  UdpReply,
  UrlConfig,
} from "./config/checker.ts";
export type { Command, ScriptUser } from "./config/command.ts";
export type {
  BufferConfig,
  DbusConfig,
  FifoConfig,
  FifosConfig,
  FilesConfig,
  FirewallConfig,
  GlobalConfig,
  IpSetNames,
  LvsGlobals,
  NodeConfig,
  ProcessConfig,
  ProcessesConfig,
  ReloadConfig,
  SnmpConfig,
  SyncDaemonConfig,
  TimedCommand,
  VrrpGlobals,
} from "./config/global.ts";
export type {
  GarpConfig,
  GarpExtraConfig,
  GroupNotifyConfig,
  HmacConfig,
  HmacKeyConfig,
  InstanceConfig,
  IpvlanConfig,
  NotifyConfig,
  SyncGroupConfig,
  UnicastConfig,
  VmacConfig,
} from "./config/instance.ts";
export type {
  EncapsulationConfig,
  LockableMetric,
  NextHopConfig,
  PrefixConfig,
  RangeConfig,
  RealmsConfig,
  RouteConfig,
  RouteMetricsConfig,
  RuleAction,
  RuleConfig,
} from "./config/routes.ts";
export type {
  GarpGroupConfig,
  InterfaceDelayConfig,
  PolledInterfaceConfig,
  StaticAddressConfig,
  StaticRouteConfig,
  StaticRuleConfig,
  TrackGroupConfig,
} from "./config/static.ts";
export type {
  BfdConfig,
  TrackedConfig,
  TrackFileConfig,
  TrackProcessConfig,
  TrackRef,
  TrackScriptConfig,
} from "./config/tracking.ts";
export type {
  CheckDefaults,
  Forwarding,
  PersistenceConfig,
  RealServerConfig,
  Scheduler,
  SorryServerConfig,
  Tunnel,
  VirtualServerConfig,
  VirtualServerGroupConfig,
  VirtualServerGroupEntry,
  VirtualServerId,
} from "./config/virtual-server.ts";

export interface Config {
  readonly global: GlobalConfig;
  /** Those that an instance or a group tracks: others do not run. */
  readonly scripts: readonly TrackScriptConfig[];
  readonly trackFiles: readonly TrackFileConfig[];
  readonly trackProcesses: readonly TrackProcessConfig[];
  readonly bfdInstances: readonly BfdConfig[];
  readonly instances: readonly InstanceConfig[];
  readonly syncGroups: readonly SyncGroupConfig[];
  readonly virtualServers: readonly VirtualServerConfig[];
  /** What stands on interfaces and in the kernel whoever is master. */
  readonly staticAddresses: readonly StaticAddressConfig[];
  readonly staticRoutes: readonly StaticRouteConfig[];
  readonly staticRules: readonly StaticRuleConfig[];
  readonly trackGroups: readonly TrackGroupConfig[];
  readonly interfaceDelays: readonly InterfaceDelayConfig[];
  readonly garpGroups: readonly GarpGroupConfig[];
  readonly polledInterfaces: readonly PolledInterfaceConfig[];
  readonly virtualServerGroups: readonly VirtualServerGroupConfig[];
  /** `SSL`: key material of SSL_GET; undefined: none. */
  readonly tls: TlsConfig | undefined;
}
