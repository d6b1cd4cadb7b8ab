// keepalived.conf: text → typed, validated Config with diagnostics; and what changes from one Config to the next.
export { canonicalJson } from "./canonical-json.ts";
export { configuresNothing } from "./config/nothing.ts";
export { virtualServerName } from "./config/virtual-server-name.ts";
export type {
  BfdCheckerConfig,
  BfdConfig,
  BufferConfig,
  CheckConnection,
  CheckDefaults,
  CheckerConfig,
  CheckTimes,
  Command,
  Config,
  DbusConfig,
  DnsCheckerConfig,
  DnsType,
  EncapsulationConfig,
  FifoConfig,
  FifosConfig,
  FileCheckerConfig,
  FilesConfig,
  FirewallConfig,
  Forwarding,
  GarpConfig,
  GarpExtraConfig,
  GarpGroupConfig,
  GlobalConfig,
  GroupNotifyConfig,
  HmacConfig,
  HmacKeyConfig,
  HttpCheckerConfig,
  InstanceConfig,
  InterfaceDelayConfig,
  IpSetNames,
  IpvlanConfig,
  LockableMetric,
  LvsGlobals,
  MiscCheckerConfig,
  NextHopConfig,
  NodeConfig,
  NotifyConfig,
  PersistenceConfig,
  PingCheckerConfig,
  PolledInterfaceConfig,
  PrefixConfig,
  ProcessConfig,
  ProcessesConfig,
  RangeConfig,
  RealmsConfig,
  RealServerConfig,
  RegexConfig,
  RegexOption,
  ReloadConfig,
  RouteConfig,
  RouteMetricsConfig,
  RuleAction,
  RuleConfig,
  Scheduler,
  ScriptUser,
  SmtpCheckerConfig,
  SnmpConfig,
  SorryServerConfig,
  SslCheckerConfig,
  SslUrlConfig,
  StaticAddressConfig,
  StaticRouteConfig,
  StaticRuleConfig,
  StatusRange,
  SyncDaemonConfig,
  SyncGroupConfig,
  TcpCheckerConfig,
  TimedCommand,
  TlsConfig,
  TrackedConfig,
  TrackFileConfig,
  TrackGroupConfig,
  TrackProcessConfig,
  TrackRef,
  TrackScriptConfig,
  Tunnel,
  UdpCheckerConfig,
  UdpReply,
  UnicastConfig,
  UnicastPeerConfig,
  UrlConfig,
  VirtualAddressConfig,
  VirtualServerConfig,
  VirtualServerGroupConfig,
  VirtualServerGroupEntry,
  VirtualServerId,
  VmacConfig,
  VrrpGlobals,
} from "./config.ts";
export {
  type Diagnostic,
  type ErrorClass,
  errorClasses,
  exitCodeOf,
  formatDiagnostic,
  isFatal,
  printable,
  type Severity,
} from "./diagnostics.ts";
export type { Change, FieldChange } from "./diff/change.ts";
export { isSameProgram, virtualRouterOf } from "./diff/config-shapes.ts";
export { diffConfig } from "./diff/diff-config.ts";
export { changeSentences, fieldSentence, subjectOf } from "./diff/sentences.ts";
export { dumpedAddress, dumpedPeer, dumpedRoute, dumpedRule } from "./dump/dump-lines.ts";
export { type FormattedOctets, formatOctets } from "./format/format.ts";
export { meantNames } from "./keywords/meant.ts";
export { type KeywordInfo, keywordTable } from "./keywords/root.ts";
export { type LintInput, lint } from "./lint/lint.ts";
export { explainLintRule, type LintRuleInfo, lintPage, lintRule, lintRules } from "./lint/page.ts";
export type { FileStatus, InterfaceAddress, LintMachine } from "./lint/rule.ts";
export { type FileKind, type Machine, type NameTable, nameTables, type ScriptWeakness } from "./machine.ts";
export { type ParseInput, type ParseResult, parseConfig, type Source } from "./parse-config.ts";
export { type TranslatedPattern, translatePattern } from "./pcre/translate.ts";
export { staticName } from "./resolve/reach.ts";
export type { FileContent } from "./source/include.ts";
export { sourceSizeMax } from "./source/line-reader.ts";
export {
  type InstanceLinks,
  type IpvlanLink,
  type VirtualLink,
  type VirtualMacLink,
  virtualLinks,
} from "./virtual-links.ts";
