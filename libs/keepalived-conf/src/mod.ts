// keepalived.conf: text → typed, validated Config with diagnostics; and what changes from one Config to the next.
export { canonicalJson } from "./canonical-json.ts";
export { configuresNothing } from "./config/nothing.ts";
export type {
  BfdConfig,
  BufferConfig,
  CheckerConfig,
  Command,
  Config,
  DbusConfig,
  FifoConfig,
  FifosConfig,
  FilesConfig,
  FirewallConfig,
  GarpConfig,
  GarpExtraConfig,
  GlobalConfig,
  GroupNotifyConfig,
  HmacConfig,
  HmacKeyConfig,
  InstanceConfig,
  IpSetNames,
  IpvlanConfig,
  LvsGlobals,
  NodeConfig,
  NotifyConfig,
  ProcessConfig,
  ProcessesConfig,
  RealServerConfig,
  ReloadConfig,
  ScriptUser,
  SnmpConfig,
  SyncDaemonConfig,
  SyncGroupConfig,
  TimedCommand,
  TrackedConfig,
  TrackFileConfig,
  TrackProcessConfig,
  TrackRef,
  TrackScriptConfig,
  UnicastConfig,
  UnicastPeerConfig,
  VirtualAddressConfig,
  VirtualServerConfig,
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
export { virtualRouterOf } from "./diff/config-shapes.ts";
export { diffConfig } from "./diff/diff-config.ts";
export { changeSentences, fieldSentence, subjectOf } from "./diff/sentences.ts";
export { type FormattedOctets, formatOctets } from "./format/format.ts";
export { nearestNames } from "./keywords/nearest.ts";
export { type KeywordInfo, keywordTable } from "./keywords/root.ts";
export { type LintInput, lint } from "./lint/lint.ts";
export { explainLintRule, type LintRuleInfo, lintPage, lintRule, lintRules } from "./lint/page.ts";
export type { FileStatus, InterfaceAddress, LintMachine } from "./lint/rule.ts";
export { type Machine, type NameTable, nameTables, type ScriptWeakness } from "./machine.ts";
export { type ParseInput, type ParseResult, parseConfig, type Source } from "./parse-config.ts";
export type { FileContent } from "./source/include.ts";
export { sourceSizeMax } from "./source/line-reader.ts";
