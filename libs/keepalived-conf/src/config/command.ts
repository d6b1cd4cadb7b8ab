// Programs that a configuration names, and as whom they run.
export interface ScriptUser {
  readonly user: string;
  /** The user's own group when undefined. */
  readonly group: string | undefined;
  /** A `:` before the group, or `set_supplementary_groups`: the user's other groups, too. */
  readonly supplementaryGroups: boolean;
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
