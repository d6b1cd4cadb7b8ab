// What a keepalived.conf means: the typed Config that the services use. Defaults and inheritance are resolved;
// durations are microseconds, addresses canonical. Plain JSON throughout: it is stored in the snapshot as it is.
import type { IpAddress, Micros, Priority, Vrid } from "@baton/domain";

export interface Config {
  readonly global: GlobalConfig;
  /** Those that an instance tracks: others do not run. */
  readonly scripts: readonly TrackScriptConfig[];
  readonly instances: readonly InstanceConfig[];
  readonly syncGroups: readonly SyncGroupConfig[];
  readonly virtualServers: readonly VirtualServerConfig[];
}

export interface GlobalConfig {
  /** `router_id`; the host name when absent (filled in by the caller of parse). */
  readonly routerId: string;
  readonly notificationEmail: readonly string[];
  /** `notification_email_from`; keepalived's default is `user@host`. */
  readonly notificationEmailFrom: string | undefined;
  /** `smtp_server HOST [PORT]`; mail is off without it. */
  readonly smtpServer: { readonly host: string; readonly port: number } | undefined;
  readonly smtpHeloName: string | undefined;
  /** `smtp_connect_timeout`, default 30 s. */
  readonly smtpConnectTimeout: Micros;
  readonly enableScriptSecurity: boolean;
  readonly scriptUser: ScriptUser | undefined;
}

export interface ScriptUser {
  readonly user: string;
  readonly group: string | undefined;
}

/** A command of the configuration, split as keepalived splits it (grammar: script tokeniser). */
export interface Command {
  /** The text as written, quotes resolved. */
  readonly text: string;
  readonly argv: readonly string[];
  /** `shell`: argv[0] is shell syntax rather than an executable; Baton runs `text` under bash and says so. */
  readonly run: "exec" | "shell";
  /** Its own, `script_user` or keepalived_script; undefined where there is none of them: as the service itself. */
  readonly user: ScriptUser | undefined;
}

/** `vrrp_script`. */
export interface TrackScriptConfig {
  readonly name: string;
  readonly command: Command;
  readonly interval: Micros;
  /** Equals the interval when not given. */
  readonly timeout: Micros;
  /** -253 to 253; 0 means FAULT while failed. */
  readonly weight: number;
  readonly reverse: boolean;
  readonly rise: number;
  readonly fall: number;
  /** `init_fail`: failed until `rise` runs succeeded. */
  readonly initFail: boolean;
}

/** A tracked object as one instance sees it. */
export interface TrackRef {
  readonly name: string;
  readonly weight: number;
  readonly reverse: boolean;
}

/** `vrrp_instance`. */
export interface InstanceConfig {
  readonly name: string;
  readonly interface: string;
  readonly family: 4 | 6;
  readonly version: 2 | 3;
  readonly vrid: Vrid;
  readonly priority: Priority;
  /** The `state` line: what the instance wants at start. */
  readonly initialState: "master" | "backup";
  readonly advertInterval: Micros;
  /** `down_timer_adverts`, default 3. */
  readonly downTimerAdverts: number;
  readonly preempt: boolean;
  readonly preemptDelay: Micros;
  /** PASS: at most 8 octets, already cut. AH is parsed and refused until it is carried out. */
  readonly authentication: { readonly type: "pass"; readonly password: string } | undefined;
  readonly trackInterfaces: readonly TrackRef[];
  readonly trackScripts: readonly TrackRef[];
  readonly trackPrimary: boolean;
  /** `mcast_src_ip`; otherwise the interface's primary address. */
  readonly sourceAddress: IpAddress | undefined;
  readonly addresses: readonly VirtualAddressConfig[];
  readonly excludedAddresses: readonly VirtualAddressConfig[];
  readonly garp: GarpConfig;
  readonly notify: NotifyConfig;
  readonly smtpAlert: boolean;
  /** `v3_checksum_as_v2`. */
  readonly v3ChecksumAsV2: boolean;
  readonly lowerPriorityNoAdvert: boolean;
  readonly higherPrioritySendAdvert: boolean;
}

/** One line of `virtual_ipaddress`. */
export interface VirtualAddressConfig {
  readonly address: IpAddress;
  readonly prefixLength: number;
  /** `dev`; the instance's interface when absent. */
  readonly interface: string;
  readonly label: string | undefined;
  /** `brd`/`broadcast`: an address; `+`/`-` are resolved to the one they mean. */
  readonly broadcast: IpAddress | undefined;
  /** Kernel scope number: 0 global (default), 200 site, 253 link, 254 host. */
  readonly scope: number;
  readonly noPrefixRoute: boolean;
}

/** `garp_master_*`, `garp_lower_prio_*`. */
export interface GarpConfig {
  /** Delay of the second burst, default 5 s; 0: none. */
  readonly delay: Micros;
  readonly repeat: number;
  /** 0: no refresh. */
  readonly refresh: Micros;
  readonly refreshRepeat: number;
  readonly lowerPriorityDelay: Micros;
  readonly lowerPriorityRepeat: number;
}

export interface NotifyConfig {
  readonly master: Command | undefined;
  readonly backup: Command | undefined;
  readonly fault: Command | undefined;
  readonly stop: Command | undefined;
  readonly deleted: Command | undefined;
  readonly any: Command | undefined;
}

export interface SyncGroupConfig {
  readonly name: string;
  readonly members: readonly string[];
}

/** `virtual_server`: parsed and validated; carried out by a later release. */
export interface VirtualServerConfig {
  readonly id:
    | { readonly kind: "address"; readonly address: IpAddress; readonly port: number }
    | { readonly kind: "fwmark"; readonly mark: number }
    | { readonly kind: "group"; readonly name: string };
  readonly protocol: "tcp" | "udp" | "sctp";
  readonly scheduler: string;
  readonly forwarding: "masquerade" | "direct-route" | "tunnel";
  readonly delayLoop: Micros;
  /** 0: no persistence. */
  readonly persistenceTimeout: Micros;
  readonly realServers: readonly RealServerConfig[];
  readonly sorryServer: { readonly address: IpAddress; readonly port: number } | undefined;
  readonly quorum: number;
  readonly hysteresis: number;
}

export interface RealServerConfig {
  readonly address: IpAddress;
  readonly port: number;
  readonly weight: number;
  readonly checkers: readonly CheckerConfig[];
}

export interface CheckerConfig {
  readonly type:
    | "TCP_CHECK"
    | "HTTP_GET"
    | "SSL_GET"
    | "SMTP_CHECK"
    | "DNS_CHECK"
    | "PING_CHECK"
    | "UDP_CHECK"
    | "MISC_CHECK"
    | "FILE_CHECK"
    | "BFD_CHECK";
  readonly connectPort: number | undefined;
  readonly connectTimeout: Micros;
  readonly retry: number;
  readonly delayBeforeRetry: Micros;
  readonly urls: readonly {
    readonly path: string;
    readonly statusCodes: readonly { readonly min: number; readonly max: number }[];
    readonly digest: string | undefined;
  }[];
}
