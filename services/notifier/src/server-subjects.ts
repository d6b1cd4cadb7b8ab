// Who is told of virtual servers and their real servers, and under which names: out of the configuration. Pure.
import { poolServerName } from "@baton/ipvs";
import {
  type Command,
  type Config,
  type RealServerConfig,
  type VirtualServerConfig,
  virtualServerName,
} from "@baton/keepalived-conf";
import { serverKey } from "./server-change.ts";

export interface ServerSubject {
  /** As keepalived writes it: `[192.0.2.1]:tcp:80`, `FWM 5`, `[group]:0`. */
  readonly virtualServer: string;
  /** As keepalived writes it, `[10.0.0.1]:tcp:80`; undefined: the virtual server itself. */
  readonly server: string | undefined;
  readonly up: Command | undefined;
  readonly down: Command | undefined;
  readonly smtpAlert: boolean;
  readonly isAlpha: boolean;
  /** Its end is told as a loss is. */
  readonly omega: boolean;
}

/** By `serverKey`. */
export function serverSubjects({ virtualServers }: Pick<Config, "virtualServers">): Map<string, ServerSubject> {
  const subjects = new Map<string, ServerSubject>();
  for (const config of virtualServers) {
    const virtualServer = virtualServerName(config);
    subjects.set(serverKey({ virtualServer, server: undefined }), subjectOf(config));
    for (const server of config.realServers) {
      subjects.set(serverKey({ virtualServer, server: poolServerName(server) }), realSubjectOf(config, server));
    }
  }
  return subjects;
}

const subjectOf = (config: VirtualServerConfig): ServerSubject => ({
  virtualServer: keepalivedName(config),
  server: undefined,
  up: config.quorumUp,
  down: config.quorumDown,
  smtpAlert: config.smtpAlert,
  isAlpha: config.alpha,
  omega: config.omega,
});

const realSubjectOf = (config: VirtualServerConfig, server: RealServerConfig): ServerSubject => ({
  virtualServer: keepalivedName(config),
  server: `[${server.address}]:${config.protocol ?? "none"}:${server.port}`,
  up: server.notifyUp,
  down: server.notifyDown,
  smtpAlert: server.smtpAlert,
  isAlpha: server.alpha || server.checkers.some((checker) => "alpha" in checker && checker.alpha),
  omega: config.omega,
});

/** Ours, less what makes it unique: to keepalived a mark is a mark, whatever the family. */
const keepalivedName = (config: VirtualServerConfig): string =>
  config.id.kind === "fwmark" ? `FWM ${config.id.mark}` : virtualServerName(config);
