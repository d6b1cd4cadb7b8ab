export { desiredFrom, kernelLeaseSeconds, leaseLength } from "./desired.ts";
export { addressTag } from "./kernel-view.ts";
export { type RunningDataplane, runDataplane } from "./run-dataplane.ts";
