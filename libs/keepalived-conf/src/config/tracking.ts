// What instances watch beside their own interface.
import type { IpAddress, Micros } from "@baton/domain";
import type { Command } from "./command.ts";

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

/** `track_file`: the number at the beginning of a file, 0 when it is not there. */
export interface TrackFileConfig {
  readonly name: string;
  readonly path: string;
  /** What the number is multiplied with, -254 to 254; 0: any number but 0 is a fault. Default 1. */
  readonly weight: number;
  readonly reverse: boolean;
  /** `init_file`: the file is made at the start. */
  readonly initial: { readonly value: number; readonly overwrite: boolean } | undefined;
}

/** `vrrp_track_process`. */
export interface TrackProcessConfig {
  readonly name: string;
  readonly path: string;
  readonly parameters: readonly string[];
  /** `partial`: its first arguments are `parameters`; `initial`: of the last of them only the beginning. */
  readonly match: "none" | "exact" | "initial" | "partial";
  /** The whole command line is compared, not the short name of the process. */
  readonly fullCommand: boolean;
  readonly weight: number;
  readonly reverse: boolean;
  /** It is up while at least `quorum` and at most `quorumMax` of them run. */
  readonly quorum: number;
  readonly quorumMax: number | undefined;
  /** How long before too few count, and before enough count. */
  readonly terminateDelay: Micros;
  readonly forkDelay: Micros;
}

/** `bfd_instance`. One that is tracked and not among these is never up. */
export interface BfdConfig {
  readonly name: string;
  readonly neighbor: IpAddress;
  readonly source: IpAddress | undefined;
  readonly minReceiveInterval: Micros;
  readonly minTransmitInterval: Micros;
  /** While the session is not up. */
  readonly idleTransmitInterval: Micros;
  readonly multiplier: number;
  readonly passive: boolean;
  readonly ttl: number;
  /** How many routers may lie between; -1: any number. */
  readonly maxHops: number;
  /** Over port 4784, not 3784. */
  readonly multihop: boolean;
  readonly weight: number;
  readonly reverse: boolean;
  /** Who is told of its state. */
  readonly tells: { readonly vrrp: boolean; readonly checker: boolean };
}

/** A tracked object as one instance sees it. */
export interface TrackRef {
  readonly name: string;
  readonly weight: number;
  readonly reverse: boolean;
}

/** What an instance, or each instance of a group, tracks. */
export interface TrackedConfig {
  readonly trackInterfaces: readonly TrackRef[];
  readonly trackScripts: readonly TrackRef[];
  readonly trackFiles: readonly TrackRef[];
  readonly trackProcesses: readonly TrackRef[];
  readonly trackBfds: readonly TrackRef[];
}
