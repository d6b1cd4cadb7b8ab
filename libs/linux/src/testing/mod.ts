// For tests of this package and of the services above it.
export { type FramePort, openFramePort } from "./frame-port.ts";
export {
  type InMemoryAddressTable,
  type InMemoryAddressTableOptions,
  inMemoryAddressTable,
} from "./in-memory-address-table.ts";
export { makeNamespace, makeNamespacePair, type Namespace, openDescriptors } from "./namespace.ts";
