// What instances watch beside their own interface.
import type { Micros } from "@baton/domain";
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

/** A tracked object as one instance sees it. */
export interface TrackRef {
  readonly name: string;
  readonly weight: number;
  readonly reverse: boolean;
}
