// `virtual_server` → VirtualServerConfig, with keepalived's fallbacks: first the lines of the block one after another
// (service-lines.ts), then what they mean together.
import { ipFamily, secondsToMicros } from "@baton/domain";
import type { CheckDefaults, Forwarding, PersistenceConfig, VirtualServerConfig, VirtualServerId } from "../config.ts";
import type { VirtualServerId as GivenId } from "../keywords/address-arguments.ts";
import { persistenceDefault, virtualServer } from "../keywords/virtual-server.ts";
import { type Block, blocksOf, isSet, setting, value } from "../syntax/tree.ts";
import type { CheckerContext } from "./check-times.ts";
import { adjust, advise, type ResolveContext, reject } from "./context.ts";
import { toForwarding } from "./forwarding.ts";
import {
  type ResolvedServer,
  resolveEvent,
  resolveRealServers,
  resolveSorryServer,
  type ServiceScope,
} from "./real-server.ts";
import { type FoundService, readService } from "./service-lines.ts";
import type { GroupFacts } from "./virtual-server-group.ts";

const { keywords } = virtualServer;

/** By name. */
export interface ServiceContext extends CheckerContext {
  readonly groups: ReadonlyMap<string, GroupFacts>;
}

export function resolveVirtualServers(root: Block, context: ServiceContext): VirtualServerConfig[] {
  const servers = new Map<string, VirtualServerConfig>();
  const indexes = new Map<string, number>();
  for (const block of blocksOf(root, virtualServer)) {
    const server = resolveVirtualServer(block, indexes, context);
    if (server === undefined) continue;
    const key = keyOf(server);
    if (!servers.has(key)) servers.set(key, server);
    else tellTwin(block, context);
  }
  return [...servers.values()];
}

/** Equal keys are one service of the kernel. */
const keyOf = ({ id, protocol, family }: VirtualServerConfig): string =>
  `${id.kind === "group" ? `group ${id.name}` : nameOf(id)} ${protocol} ${family}`;

function tellTwin(block: Block<GivenId>, { report }: ResolveContext): void {
  report({
    place: block.place,
    severity: "error",
    code: "virtual-server-twice",
    errorClass: "ok",
    message: `virtual_server ${nameOf(block.header)} was defined before, for the same protocol; this one is left out`,
    hint: "the kernel has one service of an address, port and protocol: put the real servers into the first one",
  });
}

export function nameOf(id: GivenId | VirtualServerId): string {
  if (id.kind === "address")
    return id.address.includes(":") ? `[${id.address}]:${id.port}` : `${id.address}:${id.port}`;
  return id.kind === "fwmark" ? `fwmark ${id.mark}` : `group ${id.name}`;
}

/** What a virtual server serves: of a group, what its entries do. */
interface Served {
  readonly id: VirtualServerId;
  readonly group: GroupFacts | undefined;
  readonly family: 4 | 6 | undefined;
  readonly addresses: boolean;
  readonly marks: boolean;
  /** An address without a port: all ports. */
  readonly allPorts: boolean;
}

function resolveVirtualServer(
  block: Block<GivenId>,
  indexes: Map<string, number>,
  context: ServiceContext,
): VirtualServerConfig | undefined {
  const name = `virtual_server ${nameOf(block.header)}`;
  if (block.header.kind === "fwmark" && block.header.mark === 0) {
    reject(context, block.place, "no-mark", "fwmark 0 is on packets without a mark; the virtual server is left out");
    return undefined;
  }
  const found = readService(block, context);
  if (found.realServers.length === 0) {
    const message = `${name} has no real server and is left out`;
    reject(context, block.place, "no-real-server", message, "write real_server IP PORT { … }");
    return undefined;
  }
  dropStrangeSorryServer(found, context);
  const served = resolveServed(block, name, found, indexes, context);
  if (served !== undefined) return assemble({ block, name, found, served }, context);
  tellOfServers(block, name, found, context);
  return undefined;
}

/** What is wrong with the servers of a service that is left out is wrong all the same. */
function tellOfServers(block: Block<GivenId>, name: string, found: FoundService, context: ServiceContext): void {
  const id: VirtualServerId = block.header.kind === "group" ? { ...block.header, index: 0 } : block.header;
  for (const server of found.realServers) {
    // Whether its port fits is nobody's concern any more.
    const ports = new Set([server.block.header.port]);
    const scope = scopeOf(block, { id, name, ports, forwarding: { method: "masquerade" } }, context);
    resolveRealServers([server], scope, { ...context, programs: [] });
  }
}

const scopeOf = (
  block: Block<GivenId>,
  service: Pick<ServiceScope, "id" | "name" | "ports" | "forwarding">,
  { defaults }: ServiceContext,
): ServiceScope => ({
  ...service,
  checkDefaults: resolveDefaults(block),
  weight: value(block, keywords.weight) ?? 1,
  alpha: isSet(block, keywords.alpha),
  inhibitOnFailure: isSet(block, keywords.inhibitOnFailure),
  smtpAlert: defaults.smtpAlertChecker ?? true,
  hostName: value(block, keywords.virtualHost),
});

/** Only a tunnel takes packets of one family to a server of the other. */
function dropStrangeSorryServer(found: FoundService, context: ServiceContext): void {
  const { sorryServer: sorry } = found;
  if (sorry === undefined || sorry.forwarding.method === "tunnel") return;
  found.family ??= ipFamily(sorry.address);
  if (found.family === ipFamily(sorry.address)) return;
  const message = `the sorry server ${sorry.address} is not of the family of its virtual server and is left out`;
  reject(context, sorry.place, "address-family", message);
  found.sorryServer = undefined;
}

/** undefined: its group is not there, or is of another family; reported. */
function resolveServed(
  block: Block<GivenId>,
  name: string,
  found: FoundService,
  indexes: Map<string, number>,
  context: ServiceContext,
): Served | undefined {
  const id = block.header;
  if (id.kind === "address") {
    return { id, group: undefined, family: found.family, addresses: true, marks: false, allPorts: id.port === 0 };
  }
  if (id.kind === "fwmark") {
    const family = found.family ?? familyOfTunnels(found);
    return { id, group: undefined, family, addresses: false, marks: true, allPorts: false };
  }
  const group = context.groups.get(id.name);
  if (group === undefined) {
    const message = `there is no virtual_server_group ${id.name} with anything in it; ${name} is left out`;
    context.report({ place: block.place, severity: "error", code: "group-unknown", errorClass: "ok", message });
    return undefined;
  }
  const { families } = group;
  if (found.family !== undefined && [...families].some((family) => family !== found.family)) {
    const message = `${name} is IPv${found.family}, and its group is not, or not only; it is left out`;
    context.report({ place: block.place, severity: "error", code: "group-family", errorClass: "ok", message });
    return undefined;
  }
  const [only] = families;
  const index = indexes.get(id.name) ?? 0;
  indexes.set(id.name, index + 1);
  return {
    id: { ...id, index },
    group,
    family: found.family ?? (families.size === 2 ? undefined : (only ?? 4)),
    addresses: group.addresses,
    marks: group.marks,
    allPorts: group.allPorts,
  };
}

/** Behind a firewall mark, all in tunnels: theirs if they are all of one family, else IPv4. */
function familyOfTunnels({ realServers, sorryServer }: FoundService): 4 | 6 {
  const addresses = realServers.map(({ block }) => block.header.address);
  const families = new Set([...addresses, ...(sorryServer === undefined ? [] : [sorryServer.address])].map(ipFamily));
  return families.size === 1 && families.has(6) ? 6 : 4;
}

/** A virtual server of which all lines are read. */
interface Draft {
  readonly block: Block<GivenId>;
  readonly name: string;
  readonly found: FoundService;
  readonly served: Served;
}

function assemble(draft: Draft, context: ServiceContext): VirtualServerConfig {
  const { block, name, found, served } = draft;
  const protocol = resolveProtocol(draft, context);
  const forwarding = resolveForwarding(draft, context);
  const scope = scopeOf(block, { id: served.id, name, ports: served.group?.ports, forwarding }, context);
  const realServers = resolveRealServers(found.realServers, scope, context);
  const { quorum, hysteresis } = resolveQuorum(block, realServers, name, context);
  if (found.scheduler === undefined) {
    adjust(context, block.place, "lb-algo", `${name} has no lb_algo`, { used: "lb_algo wlc" });
  }
  return {
    id: served.id,
    family: served.family,
    protocol,
    scheduler: found.scheduler ?? "wlc",
    schedulerFlags: [...found.schedulerFlags].toSorted((a, b) => a - b),
    onePacket: resolveOnePacket(draft, protocol, context),
    persistence: resolvePersistence(draft, context),
    forwarding: scope.forwarding,
    quorum,
    hysteresis,
    alpha: scope.alpha,
    omega: isSet(block, keywords.omega),
    haSuspend: resolveSuspend(draft, context),
    smtpAlert: value(block, keywords.smtpAlert) ?? context.defaults.smtpAlertChecker ?? false,
    quorumUp: resolveEvent(block, keywords.quorumUp, context),
    quorumDown: resolveEvent(block, keywords.quorumDown, context),
    snmpName: value(block, keywords.snmpName),
    checkDefaults: scope.checkDefaults,
    realServers: realServers.map(({ config }) => config),
    sorryServer: found.sorryServer && resolveSorryServer(found.sorryServer, realServers, scope, context),
  };
}

const resolveDefaults = (block: Block): CheckDefaults => ({
  delayLoop: value(block, keywords.delayLoop) ?? secondsToMicros(60),
  connectTimeout: value(block, keywords.connectTimeout) ?? secondsToMicros(5),
  retry: value(block, keywords.retry),
  delayBeforeRetry: value(block, keywords.delayBeforeRetry),
  warmup: value(block, keywords.warmup),
});

function resolveForwarding({ block, name, found }: Draft, context: ServiceContext): Forwarding {
  const { forwarding, realServers, sorryServer } = found;
  const servers = sorryServer === undefined ? realServers : [...realServers, sorryServer];
  if (forwarding.method === undefined && servers.some((server) => server.forwarding.method === undefined)) {
    adjust(context, block.place, "lb-kind", `${name} has no lb_kind`, { used: "lb_kind NAT" });
  }
  return toForwarding(forwarding, { method: "masquerade" });
}

function resolveProtocol({ block, name, served }: Draft, context: ServiceContext): VirtualServerConfig["protocol"] {
  const given = setting(block, keywords.protocol);
  if (served.addresses && given === undefined) {
    const advice = { hint: "write protocol TCP", used: "protocol UDP" };
    adjust(context, block.place, "no-protocol", `${name} has no protocol`, advice);
    return "udp";
  }
  if (served.addresses || given === undefined) return given?.value;
  const message = `${name}: a firewall mark stands for any protocol; this one is ignored`;
  adjust(context, given.place, "fwmark-protocol", message);
  return undefined;
}

function resolveOnePacket(
  { block, name, found: { onePacket }, served }: Draft,
  protocol: VirtualServerConfig["protocol"],
  context: ServiceContext,
): boolean {
  if (!onePacket || !served.addresses || protocol === "udp") return onePacket;
  const place = setting(block, keywords.onePacket)?.place ?? block.place;
  adjust(context, place, "one-packet", `${name}: ops is for UDP; it is ignored`);
  return false;
}

function resolvePersistence(
  { block, name, found: { granularity }, served }: Draft,
  context: ServiceContext,
): PersistenceConfig | undefined {
  const timeout = value(block, keywords.persistenceTimeout);
  const engine = value(block, keywords.persistenceEngine);
  const clients = { granularity: isWhole(granularity) ? undefined : granularity, engine };
  if (timeout !== undefined) return { timeout: secondsToMicros(timeout), ...clients };
  if (granularity === undefined && !served.allPorts) {
    const given = setting(block, keywords.persistenceEngine);
    if (given !== undefined) {
      const message = `${name}: persistence_engine is of no use without persistence_timeout; it is ignored`;
      advise(context, given.place, "no-persistence", message, "write persistence_timeout SECS");
    }
    return undefined;
  }
  if (granularity === undefined) {
    const used = `persistence_timeout ${persistenceDefault}`;
    adjust(context, block.place, "zero-port", `${name}: all ports can only be served with persistence`, { used });
  }
  return { timeout: secondsToMicros(persistenceDefault), ...clients };
}

/** A mask that leaves each client by itself says nothing. */
const isWhole = (granularity: PersistenceConfig["granularity"]): boolean =>
  granularity?.kind === "mask" && granularity.mask === "255.255.255.255";

function resolveSuspend({ block, name, served }: Draft, context: ServiceContext): boolean {
  const given = setting(block, keywords.haSuspend);
  if (given === undefined || !served.marks) return given !== undefined;
  adjust(
    context,
    given.place,
    "ha-suspend",
    `${name}: a firewall mark has no address to look for; ha_suspend is ignored`,
  );
  return false;
}

function resolveQuorum(
  block: Block,
  realServers: readonly ResolvedServer[],
  name: string,
  context: ResolveContext,
): { quorum: number; hysteresis: number } {
  const weights = realServers.reduce((sum, { config }) => sum + config.weight, 0);
  const wanted = value(block, keywords.quorum) ?? 1;
  // Without any weight there is no quorum to have, until a check gives its server one.
  const quorum = Math.max(1, Math.min(wanted, weights));
  const place = setting(block, keywords.quorum)?.place ?? block.place;
  if (wanted > weights) {
    const message = `${name}: the weights of the real servers add up to ${weights} only`;
    adjust(context, place, "lint/quorum-above-weight", message, { used: `quorum ${quorum}` });
  }
  if (weights === 0) return { quorum, hysteresis: 0 };
  const slack = value(block, keywords.hysteresis) ?? 0;
  if (slack < quorum) return { quorum, hysteresis: slack };
  const hysteresis = quorum - 1;
  const where = setting(block, keywords.hysteresis)?.place ?? place;
  const message = `${name}: hysteresis has to be below the quorum of ${quorum}`;
  adjust(context, where, "hysteresis", message, { used: `hysteresis ${hysteresis}` });
  return { quorum, hysteresis };
}
