// The machine on which the verdicts and the dumps of the corpus were taken.
import type { Command } from "../config.ts";

export const sampleHost = "vm";

export const programs =
  /^(\/usr)?(\/s?bin\/)?(killall|pidof|curl|pgrep|systemctl|ss|bash|sh|test|true|false|ps|grep|ping|ip|cat|netstat|service|ipvsadm|logger)$/;

/** Users that it did not know. */
export const strangers: readonly string[] = ["keepalived_script", "quentin", "ziggy", "nginx"];

export const isProgramThere = ({ argv }: Command): boolean => programs.test(argv[0] ?? "");
