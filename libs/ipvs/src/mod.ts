// The kernel's balancer as values: its table, what it is to hold, and the commands from one to the other.
export { type DaemonOperation, daemonOptions, type OwnDaemons, planDaemons, planTimeouts } from "./daemon.ts";
export { type AddressRange, rangeMax } from "./group.ts";
export { MemoryTable, type TableError } from "./memory-table.ts";
export {
  type ConnectionCounts,
  type ConnectionTimeouts,
  type Destination,
  type DestinationKey,
  type DumpedDestination,
  type DumpedService,
  destinationName,
  type Family,
  type ForwardingMethod,
  type Operation,
  type Protocol,
  type Service,
  type ServiceKey,
  type SyncDaemon,
  serviceFlags,
  serviceFlagsMask,
  serviceName,
  type TrafficCounters,
  type TunnelEncapsulation,
  wholeMask,
} from "./model.ts";
export {
  doubt,
  type OwnServices,
  ownByName,
  type Plan,
  type PlanInput,
  plan,
  planStop,
  type StopMode,
} from "./plan.ts";
export { type PoolWeight, poolServerName, poolServers } from "./pool-view.ts";
export { ipvsadmRules, sortRules } from "./rules.ts";
export { isSameDestination, isSameService, type ServiceTable, type WantedService } from "./table.ts";
export { type PoolServer, type PoolView, type WantedTable, wantedTable } from "./wanted.ts";
