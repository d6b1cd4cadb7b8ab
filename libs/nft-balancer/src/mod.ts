// Virtual services carried by nftables, where the kernel has no ip_vs or the user asks: from what is wanted and what is
// there to one transaction. Pure; libs/linux hands it to the kernel.
export { baseOf, tableName } from "./names.ts";
export { type BalancerInput, type BalancerPlan, planBalancer, removalScript } from "./plan.ts";
export { explainObstacle, type Obstacle, obstacles, type Refusal } from "./refusal.ts";
export type { BalancerOptions, Prefix } from "./ruleset.ts";
export {
  type FlowEnd,
  type FlowService,
  type StrayFlows,
  type Strays,
  servicesByAddress,
  straysBetween,
} from "./strays.ts";
export { type BalancerState, listElements, listTable, nothing, readTable, type TableState } from "./table-state.ts";
