// The second door: configurations from this machine's disk, and nothing of a service. A command that reads a file and
// ends has no use for gRPC, NATS and telemetry, which would cost it a fifth of a second.
export { batonVersion } from "./env.ts";
export { lintFacts } from "./lint-facts.ts";
export {
  type Configuration,
  type ConfigurationFiles,
  type ConfigurationResult,
  readConfiguration,
  readPeer,
} from "./read-configuration.ts";
export type { DumpKind } from "./supervisor-link.ts";
