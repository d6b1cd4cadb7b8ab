// `global_defs` and the keywords outside of all blocks. What instances and servers inherit stands in these.
import type { IpAddress, Micros } from "@baton/domain";
import type { Command, ScriptUser } from "./command.ts";

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
  /** `no_email_faults`: no mail tells of FAULT. */
  readonly noEmailFaults: boolean;
  /** `no_checker_emails`: mail for a real server that changes, not for each of its checkers. */
  readonly noCheckerEmails: boolean;
  readonly enableScriptSecurity: boolean;
  readonly scriptUser: ScriptUser | undefined;
  /** `use_symlink_paths`: a script runs by the path that is written, not by the one that links lead to. */
  readonly useSymlinkPaths: boolean;
  readonly startupScript: TimedCommand | undefined;
  readonly shutdownScript: TimedCommand | undefined;
  readonly fifos: FifosConfig;
  readonly vrrp: VrrpGlobals;
  readonly lvs: LvsGlobals;
  readonly firewall: FirewallConfig;
  readonly snmp: SnmpConfig;
  readonly dbus: DbusConfig | undefined;
  readonly processes: ProcessesConfig;
  readonly node: NodeConfig;
  readonly reload: ReloadConfig;
  readonly files: FilesConfig;
}

/** `startup_script` and `shutdown_script`, with how long each may take. */
export interface TimedCommand {
  readonly command: Command;
  /** Default 10 s. */
  readonly timeout: Micros;
}

/** Named pipes that get a line for every change. */
export interface FifosConfig {
  /** `notify_fifo`: everything. */
  readonly all: FifoConfig | undefined;
  /** `vrrp_notify_fifo`: instances and groups. */
  readonly vrrp: FifoConfig | undefined;
  /** `lvs_notify_fifo`: virtual and real servers. */
  readonly lvs: FifoConfig | undefined;
  /** `fifo_write_vrrp_states_on_reload`: after a reload all states are told, not only those that changed. */
  readonly statesOnReload: boolean;
}

export interface FifoConfig {
  readonly path: string;
  /** Whose it is. */
  readonly owner: ScriptUser | undefined;
  /** The program that reads it; the path is added to its words. */
  readonly reader: Command | undefined;
}

/** What holds for all instances together, or for the machine. */
export interface VrrpGlobals {
  /** `yes`: interfaces may come later; `changing`: and turn into another kind of interface. */
  readonly dynamicInterfaces: "no" | "yes" | "changing";
  readonly startupDelay: Micros;
  /** Counted from when the machine came up; the later of both ends counts. */
  readonly delayAfterBoot: Micros;
  readonly logUnknownVrids: boolean;
  /** Pauses between two announcements on an interface. */
  readonly garpInterval: Micros;
  readonly gnaInterval: Micros;
  readonly disableLocalIgmp: boolean;
  /** How names of interfaces with virtual MAC addresses begin. */
  readonly vmacPrefix: string;
  readonly vmacAddressPrefix: string;
  /** `linkbeat_use_polling`: interfaces are asked for their link. */
  readonly pollLinks: boolean;
  /** `vrrp_rx_bufs_policy` and `vrrp_rx_bufs_multiplier`; undefined: the kernel's. */
  readonly receiveBuffers:
    | { readonly policy: "mtu" | "advert"; readonly multiplier: number }
    | { readonly policy: "size"; readonly octets: number; readonly multiplier: number }
    | undefined;
}

/** What holds for all virtual servers. */
export interface LvsGlobals {
  /** undefined: the kernel's. */
  readonly timeouts: {
    readonly tcp: Micros | undefined;
    readonly tcpFin: Micros | undefined;
    readonly udp: Micros | undefined;
  };
  readonly flushOnStart: boolean;
  /** `all`: the kernel's tables at once; `services`: each service without its real servers first. */
  readonly flushOnStop: "no" | "all" | "services";
  readonly syncDaemon: SyncDaemonConfig | undefined;
  /** `nftables_ipvs`: marks instead of a service for each address of a group. */
  readonly nftables:
    | { readonly table: string; readonly priority: number; readonly firstMark: number; readonly counters: boolean }
    | undefined;
  /** `rs_init_notifies`: real servers that are up at the start are told, too. */
  readonly initNotifies: boolean;
}

/** `lvs_sync_daemon`. */
export interface SyncDaemonConfig {
  readonly interface: string;
  /** The instance whose state it follows; undefined: it sends and receives at once. */
  readonly instance: string | undefined;
  /** The VRID of the instance, or 0, when not given. */
  readonly id: number;
  readonly maxLength: number | undefined;
  readonly port: number | undefined;
  readonly ttl: number | undefined;
  readonly group: IpAddress | undefined;
}

/** Where the rules for `no_accept` and `use_vmac` go; nothing said: the nftables table `keepalived`, if any is needed. */
export interface FirewallConfig {
  readonly iptables:
    | {
        readonly in: string;
        readonly out: string | undefined;
        /** undefined: without sets. */
        readonly sets: IpSetNames | undefined;
      }
    | undefined;
  readonly nftables:
    | {
        readonly table: string;
        readonly priority: number;
        /** `nftables_ifindex`: numbers of interfaces, not names. */
        readonly byIndex: boolean;
        readonly counters: boolean;
      }
    | undefined;
}

export interface IpSetNames {
  readonly address: string;
  readonly address6: string;
  readonly addressInterface6: string;
  readonly igmp: string;
  readonly mld: string;
  readonly neighbour: string;
}

export interface SnmpConfig {
  /** undefined: net-snmp's own. */
  readonly socket: string | undefined;
  readonly traps: boolean;
  readonly vrrp: boolean;
  readonly rfcV2: boolean;
  readonly rfcV3: boolean;
  readonly checker: boolean;
  readonly virtualServerInterval: Micros;
  readonly realServerInterval: Micros;
}

/** `enable_dbus`. */
export interface DbusConfig {
  readonly serviceName: string | undefined;
  /** What stands for the interface where an instance has none. */
  readonly noInterfaceName: string | undefined;
}

export interface ProcessesConfig {
  /** undefined: the name of the program. */
  readonly name: string | undefined;
  readonly vrrp: ProcessConfig;
  readonly checker: ProcessConfig;
  readonly bfd: ProcessConfig;
  /** Up to which real-time priority a process that runs late may raise itself; -1: never. */
  readonly maxAutoPriority: number;
  readonly minAutoPriorityDelay: Micros;
  /** undefined: the kernel's. */
  readonly buffers: {
    readonly vrrpCommands: BufferConfig;
    readonly vrrpMonitor: BufferConfig;
    readonly lvsCommands: BufferConfig;
    readonly lvsMonitor: BufferConfig;
    readonly processMonitor: BufferConfig;
  };
}

export interface ProcessConfig {
  readonly name: string | undefined;
  /** -20 to 19. */
  readonly niceness: number;
  readonly noSwap: boolean;
  /** Priority of SCHED_RR, 1 to 99; undefined: not in real time. */
  readonly realtimePriority: number | undefined;
  /** undefined: all. */
  readonly cpus: readonly number[] | undefined;
  /** RLIMIT_RTTIME; 0: no limit. */
  readonly realtimeTimeout: Micros;
}

export interface BufferConfig {
  /** undefined: the kernel's. */
  readonly octets: number | undefined;
  /** Beyond the limit of the system, if need be. */
  readonly force: boolean;
}

/** What tells this node from others on the machine. */
export interface NodeConfig {
  /** `instance`. */
  readonly instance: string | undefined;
  /** undefined: where it is started. */
  readonly netNamespace: string | undefined;
  /** undefined: as `netNamespace`; empty: the machine's. */
  readonly netNamespaceIpvs: string | undefined;
  readonly namespaceWithIpsets: boolean;
  readonly usePidDirectory: boolean;
  /** How long processes may take to end; default 5 s. */
  readonly childWaitTimeout: Micros;
}

export interface ReloadConfig {
  /** `reload_check_config`: where the trial of a new configuration is logged; undefined: it is not tried. */
  readonly checkLog: string | undefined;
  readonly timeFile: string | undefined;
  readonly repeat: boolean;
  /** A file that exists while the configuration is read; `path` is keepalived's own choice when undefined. */
  readonly file: { readonly path: string | undefined } | undefined;
}

export interface FilesConfig {
  /** Permissions that new files do not get; default 0177. */
  readonly umask: number;
  /** `config_save_dir`. */
  readonly configurations: string | undefined;
  /** `tmp_config_directory`; undefined: in memory. */
  readonly temporary: string | undefined;
  /** `data_use_instance`: names of dumped files tell namespace and instance. */
  readonly useInstance: boolean;
  readonly state: string | undefined;
  readonly statistics: string | undefined;
  readonly json: string | undefined;
  readonly jsonVersion: 1 | 2;
  readonly iprouteUsr: string | undefined;
  readonly iprouteEtc: string | undefined;
}
