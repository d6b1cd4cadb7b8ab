export { type Balancer, type BalancerOptions, runBalancer } from "./run-balancer.ts";
