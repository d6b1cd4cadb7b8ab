// UDP flows that are led the wrong way, taken out of the kernel's connection tracking: rules of NAT are run for a flow's
// first packet alone, and a client that keeps sending keeps the answer alive. The next packet of one that is taken out
// is a first one.
import { type IpAddress, ipFamily } from "@baton/domain";
import type { ChangeResult } from "./api.ts";
import { LinuxError } from "./error.ts";
import { limits } from "./limits.ts";
import type { NetlinkMessage, NetlinkRequest } from "./netlink-message.ts";
import { NETLINK_NETFILTER, type NetlinkClient, openNetlinkClient } from "./netlink-socket.ts";
import { connectionsOf, type Endpoint, listConnections, readTracked, removalOf } from "./tracked-connection.ts";

/** Of one that has an address. */
export interface UdpFlows {
  /** What the client asked for; undefined: anything but one of the services. */
  readonly asked: Endpoint | undefined;
  /** To whom a rule has led them; undefined: no rule has led them anywhere. */
  readonly server: Endpoint | undefined;
}

export interface UdpService {
  readonly asked: Endpoint;
  readonly servers: readonly Endpoint[];
}

/**
 * Takes the flows out, in this network namespace, a few milliseconds of work with each `next`: the kernel goes once through
 * all that it tracks of a family (some 75 ms with 262,144 buckets). Throws LinuxError, where the kernel has no connection
 * tracking with EINVAL or EOPNOTSUPP, and of flows that stay when all others are out. Whoever gives up calls `return`.
 * `services`: as they are now. What one of them has led to one of its servers is right, whatever is asked for. `sweeps`:
 * also whatever else was asked for at one of them.
 */
export function* removeUdpFlows(
  flows: readonly UdpFlows[],
  services: readonly UdpService[],
  { sweeps = false }: { readonly sweeps?: boolean } = {},
): Generator<undefined, void> {
  const wanted = new Set(flows.map(({ asked, server }) => nameOf(asked, server)));
  const serversOf: ServersOf = new Map(
    services.map(({ asked, servers }) => [endName(asked), new Set(servers.map(endName))]),
  );
  const decode = (message: NetlinkMessage): NetlinkRequest | undefined =>
    isWanted(message, wanted, serversOf, sweeps) ? removalOf(message) : undefined;
  const client = openNetlinkClient(NETLINK_NETFILTER);
  try {
    const found: NetlinkRequest[] = [];
    const all = [...flows, ...(sweeps ? services.map(({ asked }) => ({ asked, server: undefined })) : [])];
    for (const family of [4, 6] as const) {
      const some = all.filter((each) => familyOf(each) === family);
      if (some.length === 0) continue;
      const server = { address: common(some.map((each) => each.server?.address)), port: 0 };
      for (const part of client.dumpInParts(listConnections, connectionsOf(family, "udp", server), decode)) {
        for (const request of part) found.push(request);
        yield;
      }
    }
    yield* removeAll(client, found);
  } finally {
    client.close();
  }
}

/** What has gone by itself meanwhile is gone. Throws the first error when all have been tried. */
export function* removeAll(
  client: Pick<NetlinkClient, "change">,
  requests: readonly NetlinkRequest[],
): Generator<undefined, void> {
  let failed: (ChangeResult & { readonly ok: false }) | undefined;
  for (let start = 0; start < requests.length; start += limits.changesPerSend) {
    for (const result of client.change(requests.slice(start, start + limits.changesPerSend))) {
      if (!result.ok && result.code !== "ENOENT") failed ??= result;
    }
    yield;
  }
  if (failed !== undefined) throw new LinuxError(failed.code, "flow removal", failed.message);
}

const familyOf = ({ asked, server }: UdpFlows): 4 | 6 | undefined => {
  const address = server?.address ?? asked?.address;
  return address && ipFamily(address);
};

/** Where it is always the same. */
const common = (values: readonly (IpAddress | undefined)[]): IpAddress | undefined =>
  new Set(values).size === 1 ? values[0] : undefined;

const nameOf = (asked: Endpoint | undefined, server: Endpoint | undefined): string =>
  [asked, server].map((each) => (each === undefined ? "" : endName(each))).join(">");

const endName = ({ address, port }: Endpoint): string => `${address} ${port}`;

/** By what is asked for. */
type ServersOf = ReadonlyMap<string, ReadonlySet<string>>;

function isWanted(
  message: NetlinkMessage,
  wanted: ReadonlySet<string>,
  serversOf: ServersOf,
  sweeps: boolean,
): boolean {
  const found = readTracked(message);
  if (found?.asked === undefined || found.server === undefined || found.protocol !== "udp") return false;
  const asked = withAnyPort(found.asked);
  // A service of this very port comes before one of any port.
  const servers = asked.map((each) => serversOf.get(endName(each))).find((each) => each !== undefined);
  const isSwept = sweeps && servers !== undefined;
  if (!found.isTranslated) return isSwept || asked.some((each) => wanted.has(nameOf(each, undefined)));
  const ends = withAnyPort(found.server);
  if (ends.some((server) => servers?.has(endName(server)))) return false;
  if (isSwept) return true;
  return ends.some((server) =>
    [...asked, ...(servers === undefined ? [undefined] : [])].some((each) => wanted.has(nameOf(each, server))),
  );
}

const withAnyPort = ({ address, port }: Endpoint): readonly Endpoint[] => [
  { address, port },
  { address, port: 0 },
];
