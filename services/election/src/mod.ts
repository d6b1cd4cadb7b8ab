// What the tests of other packages may use of the election; the process itself is main.ts.
export { type ElectionOptions, type RunningElection, runElection } from "./run-election.ts";
