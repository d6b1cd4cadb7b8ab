// What other test folders share.
export { type Holders, type Holding, watchHolders } from "./holders.ts";
export {
  assertWhole,
  backupConf,
  type ConfigOptions,
  isType,
  keepalivedConf,
  labFor,
  masterConf,
  type Pair,
  type PairOptions,
  startPair,
  stopPair,
  typesOf,
} from "./pair.ts";
