// `real_server` and `sorry_server`, once it is known what their virtual server is.
import type { IpAddress } from "@baton/domain";
import type {
  CheckDefaults,
  Command,
  Forwarding,
  RealServerConfig,
  SorryServerConfig,
  VirtualServerId,
} from "../config.ts";
import type { ErrorClass } from "../diagnostics.ts";
import type { AddressPort } from "../keywords/address-arguments.ts";
import type { ScriptLine } from "../keywords/script-argument.ts";
import type { Keyword } from "../keywords/table.ts";
import { realServer } from "../keywords/virtual-server.ts";
import type { Place } from "../report.ts";
import { type Block, setting, settings, value } from "../syntax/tree.ts";
import type { CheckerContext } from "./check-times.ts";
import { resolveCheckers } from "./checker.ts";
import { resolveCommand } from "./command.ts";
import { adjust, type ResolveContext } from "./context.ts";
import { changeForwarding, type GivenForwarding, toForwarding } from "./forwarding.ts";

const { keywords } = realServer;

/** What a virtual server is to its servers. */
export interface ServiceScope {
  readonly id: VirtualServerId;
  /** As in "virtual_server 192.0.2.1:80". */
  readonly name: string;
  /** Of the entries of its group, if it is one. */
  readonly ports: ReadonlySet<number> | undefined;
  readonly forwarding: Forwarding;
  readonly checkDefaults: CheckDefaults;
  readonly weight: number;
  readonly alpha: boolean;
  readonly inhibitOnFailure: boolean;
  /** Of its servers: mail is sent unless somebody says otherwise. */
  readonly smtpAlert: boolean;
  readonly hostName: string | undefined;
}

/** A real server as its block says it, at its place among the settings of the virtual server. */
export interface FoundServer {
  readonly block: Block<AddressPort>;
  readonly forwarding: GivenForwarding;
}

export interface FoundSorry {
  readonly address: IpAddress;
  readonly port: number;
  readonly forwarding: GivenForwarding;
  readonly inhibit: boolean;
  readonly place: Place;
}

/** `before`: what the virtual server has said so far. */
export const forwardingOf = (block: Block, before: GivenForwarding): GivenForwarding =>
  settings(block, keywords.method).reduce((given, line) => changeForwarding(given, line.value), before);

/** A server, and the port that it is written with: the servers of a service are told apart by that one. */
export interface ResolvedServer {
  readonly config: RealServerConfig;
  readonly writtenPort: number;
}

/** Each address and port once, as they are written and as they are in the kernel. */
export function resolveRealServers(
  found: readonly FoundServer[],
  service: ServiceScope,
  context: CheckerContext,
): ResolvedServer[] {
  const servers: ResolvedServer[] = [];
  const written = new Set<string>();
  const fitted = new Set<string>();
  for (const server of found) {
    const { address, port } = server.block.header;
    if (written.has(`${address} ${port}`)) {
      tellTwin(server, port, "general-error", context);
      continue;
    }
    written.add(`${address} ${port}`);
    const config = resolveRealServer(server, service, context);
    // keepalived looks before it sets the ports right, and then programs one server twice.
    if (fitted.has(`${address} ${config.port}`)) tellTwin(server, config.port, "ok", context);
    else servers.push({ config, writtenPort: port });
    fitted.add(`${address} ${config.port}`);
  }
  return servers;
}

function tellTwin({ block }: FoundServer, port: number, errorClass: ErrorClass, { report }: ResolveContext): void {
  report({
    place: block.place,
    severity: "error",
    code: "real-server-twice",
    errorClass,
    message: `real_server ${block.header.address} port ${port} is there already; this one is left out`,
  });
}

function resolveRealServer(
  { block, forwarding: given }: FoundServer,
  service: ServiceScope,
  context: CheckerContext,
): RealServerConfig {
  const { address, port: written } = block.header;
  const forwarding = toForwarding(given, service.forwarding);
  const port = fitPort(written, forwarding, service, { place: block.place, what: `real_server ${address}` }, context);
  const alpha = value(block, keywords.alpha) ?? service.alpha;
  const checked = {
    address,
    port: written === 0 ? port : written,
    alpha,
    defaults: resolveDefaults(block, service.checkDefaults),
    hostName: value(block, keywords.virtualHost),
    serviceHostName: service.hostName,
    serviceLoop: service.checkDefaults.delayLoop,
  };
  return {
    address,
    port,
    weight: value(block, keywords.weight) ?? service.weight,
    forwarding,
    upperThreshold: value(block, keywords.upperThreshold) ?? 0,
    lowerThreshold: value(block, keywords.lowerThreshold) ?? 0,
    inhibitOnFailure: value(block, keywords.inhibitOnFailure) ?? service.inhibitOnFailure,
    alpha,
    smtpAlert: value(block, keywords.smtpAlert) ?? service.smtpAlert,
    notifyUp: resolveEvent(block, keywords.notifyUp, context),
    notifyDown: resolveEvent(block, keywords.notifyDown, context),
    snmpName: value(block, keywords.snmpName),
    checkers: resolveCheckers(block, checked, context),
  };
}

/** A script of a real or virtual server. */
export function resolveEvent(block: Block, keyword: Keyword<ScriptLine>, context: CheckerContext): Command | undefined {
  const given = setting(block, keyword);
  if (given === undefined) return undefined;
  return resolveCommand({ script: given.value, place: given.place, what: keyword.name, role: "event" }, context);
}

const resolveDefaults = (block: Block, outer: CheckDefaults): CheckDefaults => ({
  delayLoop: value(block, keywords.delayLoop) ?? outer.delayLoop,
  connectTimeout: value(block, keywords.connectTimeout) ?? outer.connectTimeout,
  retry: value(block, keywords.retry) ?? outer.retry,
  delayBeforeRetry: value(block, keywords.delayBeforeRetry) ?? outer.delayBeforeRetry,
  warmup: value(block, keywords.warmup) ?? outer.warmup,
});

/** `real`: the servers that it stands in for. */
export function resolveSorryServer(
  { address, port: written, forwarding: given, inhibit: wanted, place }: FoundSorry,
  real: readonly ResolvedServer[],
  service: ServiceScope,
  context: ResolveContext,
): SorryServerConfig {
  const forwarding = toForwarding(given, service.forwarding);
  const what = `the sorry server ${address}`;
  // Where NAT could set it, keepalived leaves the port as it is; the kernel takes the client's for 0.
  const masquerades = forwarding.method === "masquerade";
  const port = masquerades ? written : fitPort(written, forwarding, service, { place, what }, context);
  const twin = real.find(({ config, writtenPort }) => config.address === address && writtenPort === written)?.config;
  const inhibit = twin?.inhibitOnFailure ?? wanted;
  if (inhibit !== wanted) {
    const used = `${inhibit ? "" : "no "}sorry_server_inhibit`;
    adjust(context, place, "sorry-inhibit", `${what} is a real server too, whose inhibit_on_failure counts`, { used });
  }
  return { address, port, forwarding, inhibit };
}

interface Named {
  readonly place: Place;
  readonly what: string;
}

/** Only masquerading changes the port of a packet; with a firewall mark there is no port of the service to fall back on. */
function fitPort(
  port: number,
  { method }: Forwarding,
  { id, name, ports }: ServiceScope,
  { place, what }: Named,
  context: ResolveContext,
): number {
  if (ports !== undefined) {
    if (method !== "masquerade" && port !== 0 && (ports.size > 1 || !ports.has(port))) {
      const message = `${what}: without NAT the port stays that of each entry of ${name}`;
      adjust(context, place, "port", message, "write lb_kind NAT, or no port");
    }
    return port;
  }
  const own = id.kind === "address" ? id.port : 0;
  if (method === "masquerade") return port === 0 ? own : port;
  if (port !== 0 && port !== own) {
    adjust(context, place, "port", `${what}: without NAT the port stays`, {
      hint: "write lb_kind NAT, or the port of the virtual server",
      used: `port ${own}`,
    });
  }
  return own;
}
