// Where everything is: names, addresses and the `ip` commands that build them. Pure, so that it can be read and tested
// without a network. One bridge carries the users' traffic; routers see it as eth0, as in the users' files.

export interface Topology {
  /** Unique on this machine: begins with `bt` and the owner's pid. */
  readonly id: string;
  /** The namespace that holds the bridges; no process lives there. */
  readonly bridge: string;
  readonly routers: readonly RouterPlace[];
  readonly client: HostPlace;
  /** The management network's own host; undefined without one. */
  readonly hub: HostPlace | undefined;
}

export interface HostPlace {
  readonly name: string;
  readonly namespace: string;
  readonly interface: string;
  readonly address: string;
}

export interface RouterPlace extends HostPlace {
  /** The far end of eth0: the bridge's port. */
  readonly port: string;
  readonly management: { readonly interface: string; readonly address: string } | undefined;
}

export const prefixLength = 16;
/** The address that the users' files give to the routers. */
export const virtualAddress = "172.16.100.1";
export const hubAddress = "10.77.0.254";

export function planTopology(options: { id: string; routers: readonly string[]; hub: boolean }): Topology {
  const { id } = options;
  return {
    id,
    bridge: `${id}-br`,
    routers: options.routers.map((name, index) => ({
      name,
      namespace: `${id}-${name}`,
      interface: "eth0",
      address: `172.16.1.${index + 1}`,
      port: `p-${name}`,
      management: options.hub ? { interface: "mgmt0", address: `10.77.0.${index + 1}` } : undefined,
    })),
    client: { name: "client", namespace: `${id}-c`, interface: "eth0", address: "172.16.9.9" },
    hub: options.hub ? { name: "hub", namespace: `${id}-hub`, interface: "mgmt0", address: hubAddress } : undefined,
  };
}

export const namespacesOf = (topology: Topology): string[] => [
  topology.bridge,
  ...topology.routers.map(({ namespace }) => namespace),
  topology.client.namespace,
  ...(topology.hub === undefined ? [] : [topology.hub.namespace]),
];

const addBridge = (topology: Topology, name: string): string[] => [
  // No snooping and no learning delay: the bridge is a cable with many ends.
  `-n ${topology.bridge} link add ${name} type bridge stp_state 0 forward_delay 0 mcast_snooping 0`,
  `-n ${topology.bridge} link set ${name} up`,
];

function plug(
  topology: Topology,
  bridge: string,
  port: string,
  host: Omit<HostPlace, "name">,
  prefix: number,
): string[] {
  return [
    // Both ends are born in their namespaces: nothing ever appears in the machine's own.
    `link add ${port} netns ${topology.bridge} type veth peer name ${host.interface} netns ${host.namespace}`,
    `-n ${topology.bridge} link set ${port} master ${bridge} up`,
    `-n ${host.namespace} link set ${host.interface} up`,
    `-n ${host.namespace} address add ${host.address}/${prefix} brd + dev ${host.interface}`,
  ];
}

/** Arguments of `ip`, one command a line, in order. */
export function buildCommands(topology: Topology): string[] {
  const { hub } = topology;
  return [
    ...namespacesOf(topology).flatMap((name) => [`netns add ${name}`, `-n ${name} link set lo up`]),
    ...addBridge(topology, "br0"),
    ...topology.routers.flatMap((router) => plug(topology, "br0", router.port, router, prefixLength)),
    ...plug(topology, "br0", "p-client", topology.client, prefixLength),
    ...(hub === undefined ? [] : [...addBridge(topology, "mg0"), ...plug(topology, "mg0", "m-hub", hub, 24)]),
    ...topology.routers.flatMap(({ management, namespace, name }) =>
      management === undefined ? [] : plug(topology, "mg0", `m-${name}`, { ...management, namespace }, 24),
    ),
  ];
}

/** Interface of the n-th of more cables, each a bridge of its own that has all the VRIDs; 10.n.255.0 and on are its hosts. */
export const cableInterface = (number: number): string => `v${number}`;

/** The same for so many more cables between the routers, and the client where it is to be on them. */
export function cableCommands(topology: Topology, count: number, options: { readonly client: boolean }): string[] {
  const hosts = [...topology.routers, ...(options.client ? [topology.client] : [])];
  return Array.from({ length: count }, (_, index) => index + 1).flatMap((number) => [
    ...addBridge(topology, `b${number}`),
    ...hosts.flatMap(({ name, namespace }, host) => {
      const place = { namespace, interface: cableInterface(number), address: `10.${number}.255.${host + 1}` };
      return plug(topology, `b${number}`, `${name}${place.interface}`, place, prefixLength);
    }),
  ]);
}
