// For the tests of whoever reads a Config: complete, valid values of all its parts.
export { type DumpedObject, readDump } from "./dump-objects.ts";
export {
  command,
  config,
  configOf,
  diagnostic,
  globalConfig,
  instanceConfig,
  ip,
  notifyConfig,
  realServer,
  syncGroup,
  trackScript,
  virtualAddress,
  virtualServer,
} from "./examples.ts";
export { type BlockLines, type SampleCase, sampleCases, sampleLines } from "./sample-cases.ts";
export { fileAround, holes } from "./sample-file.ts";
