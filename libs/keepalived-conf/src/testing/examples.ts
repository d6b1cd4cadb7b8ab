// A small configuration in which every part is valid, and each part of it with a test's own changes. It is read from a
// text: a new field of the Config has its default here as in every other file, and no test has to be told of it.

import { type IpAddress, parseIp } from "@baton/domain";
import type {
  Command,
  Config,
  GlobalConfig,
  InstanceConfig,
  NotifyConfig,
  RealServerConfig,
  SyncGroupConfig,
  TrackScriptConfig,
  VirtualAddressConfig,
  VirtualServerConfig,
} from "../config.ts";
import type { Diagnostic } from "../diagnostics.ts";
import { parse } from "./parse.ts";

const text = `
global_defs { router_id r1 }
vrrp_script chk {
  script "/usr/bin/true"
}
vrrp_instance VI_1 {
  interface eth0
  virtual_router_id 51
  virtual_ipaddress { 192.0.2.1 }
  track_script { chk }
}
vrrp_sync_group VG_1 { group { VI_1 } }
virtual_server 192.0.2.1 80 {
  protocol TCP
  real_server 198.51.100.1 80 {
    TCP_CHECK { }
  }
}
`;

/** The configuration that a text stands for; for tests that want one of their own. */
export function configOf(of: string): Config {
  const { config, diagnostics } = parse(of);
  if (config === undefined) throw new Error(`not usable: ${JSON.stringify(diagnostics)}`);
  return config;
}

const example = configOf(text);

function only<T>(list: readonly T[], what: string): T {
  const [first] = list;
  if (first === undefined) throw new Error(`the example has no ${what}`);
  return first;
}

/** Everything default, and nothing that anybody would carry out: no instance, no virtual server. */
export const config = (over: Partial<Config> = {}): Config => ({
  ...example,
  scripts: [],
  instances: [],
  syncGroups: [],
  virtualServers: [],
  ...over,
});

export const globalConfig = (over: Partial<GlobalConfig> = {}): GlobalConfig => ({ ...example.global, ...over });

/** VI_1 on eth0, VRID 51, priority 100, 192.0.2.1/32; it tracks nothing and tells nobody. */
export const instanceConfig = (over: Partial<InstanceConfig> = {}): InstanceConfig => ({
  ...only(example.instances, "instance"),
  trackScripts: [],
  ...over,
});

/** No scripts at all. */
export const notifyConfig = (over: Partial<NotifyConfig> = {}): NotifyConfig => ({
  ...only(example.instances, "instance").notify,
  ...over,
});

export const trackScript = (name: string, over: Partial<TrackScriptConfig> = {}): TrackScriptConfig => ({
  ...only(example.scripts, "script"),
  name,
  ...over,
});

/** Run without a shell, its words between blanks. */
export const command = (line: string, over: Partial<Command> = {}): Command => ({
  ...only(example.scripts, "script").command,
  text: line,
  argv: line.split(" "),
  ...over,
});

/** `192.0.2.1` or `192.0.2.1/24`, on eth0. */
export function virtualAddress(line: string, over: Partial<VirtualAddressConfig> = {}): VirtualAddressConfig {
  const [written = "", prefix = written.includes(":") ? "128" : "32"] = line.split("/");
  const [known] = only(example.instances, "instance").addresses;
  if (known === undefined) throw new Error("the example has no address");
  return { ...known, address: ip(written), prefixLength: Number(prefix), ...over };
}

export function ip(written: string): IpAddress {
  const address = parseIp(written);
  if (address === undefined) throw new Error(`no address: ${written}`);
  return address;
}

export const syncGroup = (over: Partial<SyncGroupConfig> = {}): SyncGroupConfig => ({
  ...only(example.syncGroups, "sync group"),
  ...over,
});

/** 192.0.2.1:80 over TCP with one real server, checked by a connection. */
export const virtualServer = (over: Partial<VirtualServerConfig> = {}): VirtualServerConfig => ({
  ...only(example.virtualServers, "virtual server"),
  ...over,
});

export const realServer = (over: Partial<RealServerConfig> = {}): RealServerConfig => ({
  ...only(only(example.virtualServers, "virtual server").realServers, "real server"),
  ...over,
});

/** What a report says of a file; for tests of what becomes of it. */
export const diagnostic = (over: Partial<Diagnostic> = {}): Diagnostic => ({
  file: "keepalived.conf",
  line: 1,
  column: 1,
  severity: "warning",
  code: "unknown-keyword",
  errorClass: "unknown-keyword",
  message: "unknown keyword 'prioritee'",
  text: undefined,
  used: undefined,
  hint: undefined,
  ...over,
});
