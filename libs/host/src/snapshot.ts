// The applied configuration as the services see it: one JSON file in the state directory, replaced atomically by control.
import type { Config } from "@baton/keepalived-conf";
import type { Settings } from "./settings.ts";

export interface ConfigSnapshot {
  /** Rises by one with every applied configuration, also across restarts. */
  readonly generation: number;
  /** SHA-256 of the canonical JSON of `config` and `settings`. */
  readonly hash: string;
  readonly file: string;
  readonly appliedAt: string;
  readonly config: Config;
  readonly settings: Settings;
}
