// What a story has come to, by step, and what is wrong with it.

export interface StoryResult {
  /** When each step was done: seconds since the start of the process, emulated. */
  readonly seconds: Record<string, number>;
  /** What was seen. Each step that waits for a table fails the story where it does not come. */
  readonly steps: Record<string, unknown>;
  /** Of the directors, when it failed. */
  log: string;
}

/** Who may answer, and has to, at each step. */
const answersWanted: Readonly<Record<string, readonly string[]>> = {
  answers: ["s1", "s2"],
  "answers without s1": ["s2"],
  "answers without servers": ["sorry"],
  "answers afterwards": ["s1", "s2"],
};

/** Empty: everything was as it has to be, to the end. */
export function faultsOf({ steps }: StoryResult): string[] {
  const wrong = Object.entries(answersWanted).flatMap(([step, wanted]) => {
    const seen = steps[step];
    if (seen === undefined && step === "answers without servers") return []; // the file has no sorry server
    return JSON.stringify(seen) === JSON.stringify(wanted) ? [] : [`${step}: ${JSON.stringify(seen)}, not ${wanted}`];
  });
  const failed = steps.failed === undefined ? [] : [String(steps.failed)];
  const left = JSON.stringify(steps["table in the end"]) === "[]" ? [] : ["something is left in the table"];
  return [...failed, ...wrong, ...left];
}
