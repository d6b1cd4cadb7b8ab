// UDP flows that go another way than the rules say. Rules are run for a flow's first packet, and a client that sends from
// one port for ever has one flow for ever: it stays with a server that is gone, and where it began before its service was
// there, it is led to nobody. Connection tracking has to forget them; TCP ends by itself.
import { type IpAddress, parseIp } from "@baton/domain";
import type { BalancerState } from "./table-state.ts";

/** Port 0: any. */
export interface FlowEnd {
  readonly address: IpAddress;
  readonly port: number;
}

export interface StrayFlows {
  /** What clients asked for; undefined: a mark, which a flow does not tell. */
  readonly asked: FlowEnd | undefined;
  /** To whom they were led; undefined: to nobody. */
  readonly server: FlowEnd | undefined;
}

/** By the names of chains, without their digests. */
export type Strays = ReadonlyMap<string, StrayFlows>;

/** What a change of the rules has made of them. `known`: of earlier changes, that are still to be forgotten. */
export function straysBetween(before: BalancerState, after: BalancerState, known: Strays = new Map()): Strays {
  const [had, has] = [flowsOf(before), flowsOf(after)];
  const left = [...had, ...known].filter(([path, { server }]) => server !== undefined && !has.has(path));
  const begun = [...has].filter(([path, { server }]) => server === undefined && (!had.has(path) || known.has(path)));
  return new Map([...left, ...begun]);
}

/** A service by address: what goes to one of its servers, also to one without weight, is right. */
export interface FlowService {
  readonly asked: FlowEnd;
  readonly servers: readonly FlowEnd[];
}

/** For flows of a mark these are somebody else's. */
export function servicesByAddress(state: BalancerState): FlowService[] {
  const found = new Map<string, { readonly asked: FlowEnd; readonly servers: FlowEnd[] }>();
  for (const { asked, server } of flowsOf(state).values()) {
    if (asked === undefined) continue;
    const name = `${asked.address} ${asked.port}`;
    const service = found.get(name) ?? { asked, servers: [] };
    found.set(name, service);
    if (server !== undefined) service.servers.push(server);
  }
  return [...found.values()];
}

/** Of UDP: each service has the flows that nobody has led, each server those that were led to it. */
function flowsOf(state: BalancerState): Strays {
  const found = new Map<string, StrayFlows>();
  for (const name of [...(state[4]?.chains.keys() ?? []), ...(state[6]?.chains.keys() ?? [])]) {
    const [kind, host, port, what, server, serverPort] = name.split("/", 6);
    if ((kind !== "udp" && kind !== "fwmark") || (what !== "service" && what !== "to")) continue;
    const asked = kind === "udp" ? endOf(host, port) : undefined;
    const flows = { asked, server: what === "to" ? endOf(server, serverPort) : undefined };
    if (flows.asked !== undefined || flows.server !== undefined) found.set(name.slice(0, name.lastIndexOf("/")), flows);
  }
  return found;
}

/** As `baseOf` and `placeOf` write it. */
function endOf(host = "", port = ""): FlowEnd | undefined {
  const address = parseIp(host.replaceAll("_", ":"));
  return address && { address, port: Number(port) };
}
