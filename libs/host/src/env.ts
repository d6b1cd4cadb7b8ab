// The environment that `baton up` gives to a service. Everything else comes from files.
import { join } from "node:path";
import type { ServiceName } from "@baton/domain";
import type { HostEnv } from "./api.ts";

export const batonVersion = "0.1.0";

export function readEnv(env: Readonly<Record<string, string | undefined>>): HostEnv {
  const required = (name: string): string => {
    const value = env[name];
    if (value === undefined || value === "") {
      throw new Error(`${name} is not set: services are started by \`baton up\``);
    }
    return value;
  };
  const restarts = Number(env.BATON_RESTARTS ?? "0");
  return {
    node: required("BATON_NODE"),
    runDir: required("BATON_RUN_DIR"),
    stateDir: required("BATON_STATE_DIR"),
    version: batonVersion,
    restarts: Number.isSafeInteger(restarts) && restarts >= 0 ? restarts : 0,
  };
}

/** Where things are in the run and state directories. */
export const paths = {
  socket: (runDir: string, service: ServiceName): string => join(runDir, `${service}.sock`),
  nodeSocket: (runDir: string): string => join(runDir, "node.sock"),
  credentials: (runDir: string): string => join(runDir, "credentials.json"),
  /** What the balancer has in the kernel, for its successor. */
  balancerRecord: (runDir: string): string => join(runDir, "balancer.own"),
  outbox: (stateDir: string, service: ServiceName): string => join(stateDir, "outbox", service),
  snapshot: (stateDir: string): string => join(stateDir, "snapshot.json"),
} as const;
