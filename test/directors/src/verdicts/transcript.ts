// What a director made of a real server, attempt by attempt: after which one it said what, and how long it waited between
// two. Attempts are counted where they arrive, so that both count the same.
import type { Director, VerdictCase } from "./cases.ts";

/** `at`: seconds; of an attempt when it began, which is seen later. */
export type Sighting =
  | { readonly what: "attempt"; readonly at: number }
  /** A line of its FIFO: `RS DOWN`. */
  | { readonly what: "said"; readonly text: string; readonly at: number }
  /** The weight of the real server in its table, or `out`. */
  | { readonly what: "table"; readonly text: string; readonly at: number };

export interface Transcript {
  /** `3 RS DOWN`: after the third attempt had begun, and before the fourth. */
  readonly said: readonly string[];
  /** Before each attempt but the first. */
  readonly table: readonly string[];
  /** Seconds from the beginning of each attempt to the next one's. */
  readonly waits: readonly number[];
}

export interface Verdict {
  readonly name: string;
  readonly family: 4 | 6;
  readonly script: string;
  readonly sameWaits: boolean;
  readonly transcripts: Readonly<Record<Director, Transcript>>;
}

/** As far as the script goes; what was said at the end stands behind `end`. */
export function transcriptOf({ script }: VerdictCase, seen: readonly Sighting[], endedAt: number): Transcript {
  const begun = seen.flatMap((each) => (each.what === "attempt" ? [each.at] : [])).toSorted((a, b) => a - b);
  const first = seen.find(({ what }) => what === "said");
  const said = seen.flatMap((each) => {
    if (each.what !== "said") return [];
    if (each.at >= endedAt) return [`end ${each.text}`];
    // A start is told before anything is tried, but perhaps seen later.
    if (each === first && each.text === "VS UP") return ["0 VS UP"];
    const number = begun.filter((at) => at <= each.at).length;
    return number <= script.length ? [`${number} ${each.text}`] : [];
  });
  const counted = begun.slice(0, script.length);
  const waits = counted.slice(1).map((at, index) => Math.round((at - (counted[index] ?? at)) * 10) / 10);
  const table = counted.slice(1).map((at) => lastBefore(seen, at));
  return { said, table, waits };
}

const lastBefore = (seen: readonly Sighting[], time: number): string =>
  seen.flatMap((each) => (each.what === "table" && each.at < time ? [each.text] : [])).at(-1) ?? "";

/** `IPv4 tcp: refused: 0 VS UP, 5 RS DOWN, …`: what keepalived said of the case, and Baton too where nothing is wrong. */
export const verdictLine = ({ name, family, transcripts: { keepalived } }: Verdict): string =>
  `IPv${family} ${name}: ${keepalived.said.join(", ")}; table ${keepalived.table.join(" ")}; waits ${keepalived.waits.join(" ")}`;

/** Beyond this it is another wait, and not the same one on a busy machine. */
const waitSlack = 3.5;

/**
 * Not compared: the first wait, when everything begins at once, and those of a server that was down and has failed again,
 * where keepalived 2.2 waits for delay_before_retry and 2.4 for delay_loop.
 */
const isCompared = (table: readonly string[], at: number): boolean =>
  at > 0 && !(table[at - 1] === table[at] && ["out", "0"].includes(table[at] ?? ""));

/** Empty: both said the same after the same attempts, and waited as long in between. */
export const verdictFaults = (verdicts: readonly Verdict[]): string[] =>
  verdicts.flatMap(({ name, family, script, sameWaits, transcripts: { baton, keepalived } }) => {
    const label = `IPv${family} ${name} (${script})`;
    const faults: string[] = [];
    if (baton.said.length === 0) faults.push(`${label}: nothing was said`);
    if (baton.said.join() !== keepalived.said.join())
      faults.push(`${label}: Baton says ${baton.said.join(", ")}; keepalived ${keepalived.said.join(", ")}`);
    if (baton.table.join() !== keepalived.table.join())
      faults.push(`${label}: Baton's table ${baton.table.join(", ")}; keepalived's ${keepalived.table.join(", ")}`);
    const count = script.split(" ").length;
    if (baton.waits.length !== count - 1 || keepalived.waits.length !== count - 1)
      faults.push(`${label}: ${baton.waits.length + 1} and ${keepalived.waits.length + 1} of ${count} attempts`);
    const other = baton.waits.findIndex(
      (wait, at) =>
        sameWaits && isCompared(baton.table, at) && Math.abs(wait - (keepalived.waits[at] ?? wait)) > waitSlack,
    );
    if (other >= 0)
      faults.push(
        `${label}: after attempt ${other + 1} Baton waits ${baton.waits[other]} s, keepalived ${keepalived.waits[other]} s`,
      );
    return faults;
  });
