// For tests of this package and of the services above it.
export { makeNamespace, makeNamespacePair, type Namespace, openDescriptors } from "./namespace.ts";
