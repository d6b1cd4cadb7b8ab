export { type Balancer, runBalancer } from "./run-balancer.ts";
export type { BalancerOptions } from "./session.ts";
