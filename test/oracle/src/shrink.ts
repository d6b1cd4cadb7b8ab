// A disagreement over a hundred lines, made short: lines are left out as long as the two judges still differ alike.
import type { Difference } from "./compare.ts";
import { type Configuration, type Judged, judgeAll } from "./trial.ts";

/** What the difference is about, wherever it stands. */
const kindOf = (difference: Difference | undefined): string | undefined =>
  difference?.words.replace(/line \d+ /g, "").replace(/baton-oracle-\w+/g, "");

/** The shortest that was found; each round leaves out smaller pieces. */
export async function shrink(keepalived: string, judged: Judged<Configuration>): Promise<Judged<Configuration>> {
  const wanted = kindOf(judged.difference);
  let best = judged;
  for (let size = Math.ceil(linesOf(best).length / 2); size >= 1; ) {
    const shorter = (await judgeAll(keepalived, candidates(best.configuration, size))).find(
      ({ difference }) => kindOf(difference) === wanted,
    );
    if (shorter !== undefined) best = shorter;
    else if (size === 1) break;
    else size = Math.ceil(size / 2);
  }
  return best;
}

const linesOf = ({ configuration }: Judged<Configuration>): string[] => configuration.text.split("\n");

function candidates(configuration: Configuration, size: number): Configuration[] {
  const lines = configuration.text.split("\n");
  const starts = Array.from({ length: Math.ceil(lines.length / size) }, (_, index) => index * size);
  return starts.map((start) => ({
    ...configuration,
    text: [...lines.slice(0, start), ...lines.slice(start + size)].join("\n"),
  }));
}
