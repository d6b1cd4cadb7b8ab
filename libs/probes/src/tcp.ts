// TCP_CHECK: a connection is made, and nothing is said.
import type { ProbeOutcome } from "@baton/health";
import type { TcpCheckerConfig } from "@baton/keepalived-conf";
import { runAttempt } from "./attempt.ts";
import { connect } from "./connection.ts";

export const probeTcp = ({ connection }: TcpCheckerConfig, signal: AbortSignal): Promise<ProbeOutcome> =>
  runAttempt(signal, (attempt) => connect(attempt, connection, () => attempt.succeed()));
