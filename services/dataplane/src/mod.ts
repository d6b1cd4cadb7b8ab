export { desiredFrom } from "./desired.ts";
export { addressTag } from "./kernel-view.ts";
export { type RunningDataplane, runDataplane } from "./run-dataplane.ts";
