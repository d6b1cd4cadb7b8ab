// `virtual_server` → VirtualServerConfig, with keepalived's fallbacks.
import { ipFamily, secondsToMicros } from "@baton/domain";
import type { RealServerConfig, VirtualServerConfig } from "../config.ts";
import type { VirtualServerId } from "../keywords/address-arguments.ts";
import { realServer, virtualServer, virtualServerGroup } from "../keywords/virtual-server.ts";
import { type Block, blocksOf, isSet, lists, setting, value } from "../syntax/tree.ts";
import { resolveCheckers } from "./checker.ts";
import { adjust, type ResolveContext, reject } from "./context.ts";

const { keywords } = virtualServer;

const forwardings = { NAT: "masquerade", DR: "direct-route", TUN: "tunnel" } as const;

/** What persistence means without a number of seconds (ip_vs). */
const persistenceDefault = 360;

export function resolveVirtualServers(root: Block, context: ResolveContext): VirtualServerConfig[] {
  const groups = new Set(lists(root, virtualServerGroup).map((list) => list.header));
  const servers: VirtualServerConfig[] = [];
  for (const block of blocksOf(root, virtualServer)) {
    const server = resolveVirtualServer(block, groups, context);
    if (server !== undefined) servers.push(server);
  }
  return servers;
}

export function nameOf(id: VirtualServerId): string {
  if (id.kind === "address") return `${id.address}:${id.port}`;
  return id.kind === "fwmark" ? `fwmark ${id.mark}` : `group ${id.name}`;
}

function resolveVirtualServer(
  block: Block<VirtualServerId>,
  groups: ReadonlySet<string | undefined>,
  context: ResolveContext,
): VirtualServerConfig | undefined {
  const id = block.header;
  const name = `virtual_server ${nameOf(id)}`;
  if (id.kind === "group" && !groups.has(id.name)) {
    reject(context, block.place, "group-unknown", `there is no virtual_server_group ${id.name}; ${name} is left out`);
    return undefined;
  }
  const forwarding = resolveForwarding(block, name, context);
  const realServers = resolveRealServers(block, id, forwarding, context);
  if (realServers.length === 0) {
    reject(
      context,
      block.place,
      "no-real-server",
      `${name} has no real server and is left out`,
      "write real_server IP PORT { … }",
    );
    return undefined;
  }
  if (!isSet(block, keywords.scheduler))
    adjust(context, block.place, "lb-algo", `${name} has no lb_algo`, { used: "lb_algo wlc" });
  return {
    id,
    protocol: resolveProtocol(block, id, name, context),
    scheduler: value(block, keywords.scheduler) ?? "wlc",
    forwarding,
    delayLoop: value(block, keywords.delayLoop) ?? secondsToMicros(60),
    persistenceTimeout: secondsToMicros(resolvePersistence(block, id, name, context)),
    realServers,
    sorryServer: resolveSorryServer(block, id, forwarding, context),
    ...resolveQuorum(block, realServers, name, context),
  };
}

function resolveForwarding(block: Block, name: string, context: ResolveContext): VirtualServerConfig["forwarding"] {
  const given = value(block, keywords.forwarding);
  if (given !== undefined) return forwardings[given];
  const everyOwn = blocksOf(block, realServer).every((inner) => isSet(inner, realServer.keywords.method));
  if (!everyOwn) adjust(context, block.place, "lb-kind", `${name} has no lb_kind`, { used: "lb_kind NAT" });
  return "masquerade";
}

function resolveProtocol(
  block: Block,
  id: VirtualServerId,
  name: string,
  context: ResolveContext,
): VirtualServerConfig["protocol"] {
  const given = setting(block, keywords.protocol);
  if (id.kind === "fwmark" && given !== undefined) {
    adjust(
      context,
      given.place,
      "fwmark-protocol",
      `${name}: a firewall mark stands for any protocol; this one is ignored`,
    );
  }
  if (id.kind !== "fwmark" && given === undefined) {
    adjust(context, block.place, "no-protocol", `${name} has no protocol`, {
      used: "protocol UDP",
      hint: "write protocol TCP",
    });
  }
  return given?.value ?? "udp";
}

function resolvePersistence(block: Block, id: VirtualServerId, name: string, context: ResolveContext): number {
  const given =
    value(block, keywords.persistenceTimeout) ??
    (isSet(block, keywords.persistenceGranularity) ? persistenceDefault : 0);
  if (given > 0 || id.kind !== "address" || id.port > 0) return given;
  adjust(context, block.place, "zero-port", `${name}: all ports can only be served with persistence`, {
    used: `persistence_timeout ${persistenceDefault}`,
  });
  return persistenceDefault;
}

function resolveQuorum(
  block: Block,
  realServers: readonly RealServerConfig[],
  name: string,
  context: ResolveContext,
): { quorum: number; hysteresis: number } {
  const weights = realServers.reduce((sum, server) => sum + server.weight, 0);
  const wanted = value(block, keywords.quorum) ?? 1;
  const quorum = Math.min(wanted, weights);
  const place = setting(block, keywords.quorum)?.place ?? block.place;
  if (quorum < wanted)
    adjust(context, place, "quorum", `${name}: the weights of the real servers add up to ${weights} only`, {
      used: `quorum ${weights}`,
    });
  const slack = value(block, keywords.hysteresis) ?? 0;
  if (slack === 0 || slack < quorum) return { quorum, hysteresis: slack };
  const hysteresis = Math.max(0, quorum - 1);
  adjust(context, place, "hysteresis", `${name}: hysteresis has to be below the quorum of ${quorum}`, {
    used: `hysteresis ${hysteresis}`,
  });
  return { quorum, hysteresis };
}

function resolveSorryServer(
  block: Block,
  id: VirtualServerId,
  forwarding: VirtualServerConfig["forwarding"],
  context: ResolveContext,
): VirtualServerConfig["sorryServer"] {
  const given = setting(block, keywords.sorryServer);
  if (given === undefined) return undefined;
  const { address, port } = given.value;
  if (id.kind === "address" && forwarding !== "tunnel" && ipFamily(id.address) !== ipFamily(address)) {
    reject(
      context,
      given.place,
      "address-family",
      `the sorry server ${address} is not of the family of its virtual server and is left out`,
    );
    return undefined;
  }
  return { address, port: fitPort(port, id, forwarding, given.place, `the sorry server ${address}`, context) };
}

/** Only NAT can change the port of a packet. */
function fitPort(
  port: number,
  id: VirtualServerId,
  forwarding: VirtualServerConfig["forwarding"],
  place: Block["place"],
  what: string,
  context: ResolveContext,
): number {
  if (id.kind === "group") return port;
  const own = id.kind === "fwmark" ? 0 : id.port;
  if (forwarding === "masquerade") return port === 0 ? own : port;
  if (port !== 0 && port !== own)
    adjust(context, place, "port", `${what}: without NAT the port does not change`, {
      used: `port ${own}`,
      hint: "write lb_kind NAT, or the port of the virtual server",
    });
  return own;
}

function resolveRealServers(
  block: Block,
  id: VirtualServerId,
  forwarding: VirtualServerConfig["forwarding"],
  context: ResolveContext,
): RealServerConfig[] {
  const servers: RealServerConfig[] = [];
  for (const inner of blocksOf(block, realServer)) {
    const { address, port } = inner.header;
    const own = value(inner, realServer.keywords.method);
    const method = own === undefined ? forwarding : forwardings[own];
    const what = `real_server ${address}`;
    if (id.kind === "address" && method !== "tunnel" && ipFamily(id.address) !== ipFamily(address)) {
      reject(
        context,
        inner.place,
        "address-family",
        `${what} is not of the family of its virtual server and is left out`,
      );
      continue;
    }
    const fitted = fitPort(port, id, method, inner.place, what, context);
    if (servers.some((other) => other.address === address && other.port === fitted)) {
      reject(
        context,
        inner.place,
        "real-server-twice",
        `${what} port ${fitted} is there already; this one is left out`,
      );
      continue;
    }
    servers.push({
      address,
      port: fitted,
      weight: value(inner, realServer.keywords.weight) ?? value(block, keywords.weight) ?? 1,
      checkers: resolveCheckers(inner, block, context),
    });
  }
  return servers;
}
