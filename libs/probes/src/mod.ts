// Single attempts of checks: a function for each type, and the parts that a fetch of another kind is made of.
export { type Attempt, printable, runAttempt } from "./attempt.ts";
export { connect } from "./connection.ts";
export { requestText } from "./http.ts";
export { type ResponseReader, readResponse } from "./http-response.ts";
export { type ProbedConfig, type ProbeOptions, probe } from "./probe.ts";
export type { ProgramSurroundings } from "./program.ts";
export { loadTls, type TlsMaterial } from "./tls-material.ts";
