// VRRP in simulated time: the real election machines on a network, with clocks, processes and kernels that fail.
export { expectedTakeovers, type LossResult, measureLoss } from "./loss.ts";
export { simulateQuorum } from "./quorum-run.ts";
export { createRandom, type Random } from "./random.ts";
export type { Weather } from "./scenario.ts";
export { type Failure, isFailure, type Outcome, simulate, type Trace, type TraceLine } from "./simulation.ts";
