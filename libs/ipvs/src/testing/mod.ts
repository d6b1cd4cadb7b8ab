// For tests of whatever works with the kernel's table: short builders, and the contract that every table is held to.
export { aDestination, addressKey, aService, ip, markKey, masquerade, withDestinations } from "./build.ts";
export {
  type ContractCase,
  type ContractStep,
  checkContract,
  contractViolations,
  engineContract,
  type TableUnderTest,
  tableContract,
} from "./contract.ts";
