// For tests of whoever probes: a world of two namespaces, and the beginnings of checkers.
export {
  connectionTo,
  families,
  ip,
  makeProbeWorld,
  ownAddress,
  type ProbeWorld,
  serverAddress,
  times,
} from "./probe-world.ts";
