export { desiredFrom } from "./desired.ts";
export { type RunningDataplane, runDataplane } from "./run-dataplane.ts";
