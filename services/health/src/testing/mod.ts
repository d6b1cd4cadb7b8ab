// For tests and measurements of others: health's checks and pools on a host in memory.
export { type CheckedNode, makeCheckedNodes } from "./checked-node.ts";
