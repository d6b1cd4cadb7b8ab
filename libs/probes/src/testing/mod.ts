// For tests of whoever probes: a world of two namespaces, and the beginnings of checkers.
export { type CertificateName, certificateNames, makeCertificates } from "./certificates.ts";
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
