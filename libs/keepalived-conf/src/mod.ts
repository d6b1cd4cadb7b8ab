export type {
  CheckerConfig,
  Command,
  Config,
  GarpConfig,
  GlobalConfig,
  InstanceConfig,
  NotifyConfig,
  RealServerConfig,
  ScriptUser,
  SyncGroupConfig,
  TrackRef,
  TrackScriptConfig,
  VirtualAddressConfig,
  VirtualServerConfig,
} from "./config.ts";
export { type Diagnostic, type ErrorClass, errorClasses, type Severity } from "./diagnostics.ts";
