// The words that sentences about events and states have in common, and how they are laid out.

/** Reasons of transitions, removals and announcements: what the code says, in words. */
export const reasons: Readonly<Record<string, string>> = {
  "master-down-expired": "no master was heard",
  "priority-zero-received": "the master said that it leaves",
  "witness-answered": "the master fell silent and said over the hub that it is none any more",
  preempt: "its priority is higher than the master's",
  "owner-start": "it owns the address",
  resumed: "it went on after a restart",
  startup: "it has started",
  "fault-cleared": "the fault is over",
  "higher-priority-advert": "a master with a higher priority was heard",
  "master-heard": "another master was heard",
  "lease-lost": "the lease was lost",
  "lease-expired": "the lease has expired",
  "dataplane-silent": "dataplane does not answer",
  "dataplane-connected": "dataplane is there again",
  "no-other-master": "nobody else serves any of its addresses",
  "unknown-vrid": "no instance here has that number",
  "owner-conflict": "another router owns the address, too",
  "owner-conflict-over": "the other owner is silent",
  "timer-expired": "it ran so late that another may be master",
  "address-failed": "an address could not be programmed",
  "interface-down": "the interface is down",
  "no-primary-address": "the interface has no address",
  "no-peers": "it is to speak to peers and has none",
  "tracker-down": "a tracker is down",
  "tracker-up": "a tracker is up again",
  "tracker-value": "a file says another number",
  "too-many-resumes": "election was restarted too often",
  "removed-from-configuration": "it was removed from the configuration",
  "not-configured": "it is not in the configuration",
  "not-claimed": "nobody claims it",
  "became-backup": "the instance became backup",
  "entered-fault": "the instance is in fault",
  idle: "its connections have ended",
  deadline: "its time was over",
  "let-go": "the successor has taken over",
  released: "election has released it",
  start: "nothing speaks against it",
  removed: "it was removed from the configuration",
  stopped: "the node was stopped",
  stop: "the node is being stopped",
  takeover: "it took over",
  "second-burst": "once more after a while",
  "drift-repaired": "somebody had removed it",
};

export const why = (reason: string): string =>
  reason === "" ? "" : `: ${reasons[reason] ?? reason.replaceAll("-", " ")}`;

export const millis = (micros: number): string => `${(micros / 1000).toFixed(1)} ms`;
export const list = (items: readonly string[]): string => items.join(", ");
export const firstLine = (text: string): string => {
  const line = text.trim().split("\n")[0] ?? "";
  return line.length > 160 ? `${line.slice(0, 159)}…` : line;
};

/** Microseconds, in what people say. */
export const span = (micros: number): string => {
  const seconds = Math.max(0, Math.round(micros / 1_000_000));
  const days = Math.floor(seconds / 86_400);
  const hours = Math.floor((seconds % 86_400) / 3_600);
  const minutes = Math.floor((seconds % 3_600) / 60);
  if (days > 0) return `${days} d ${hours} h`;
  if (hours > 0) return `${hours} h ${minutes} min`;
  return minutes > 0 ? `${minutes} min ${seconds % 60} s` : `${seconds} s`;
};

/** Columns padded to their widest cell. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const widths = rows.reduce<number[]>(
    (sum, row) => row.map((cell, column) => Math.max(cell.length, sum[column] ?? 0)),
    [],
  );
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}
