// Every way to speak VRRP, side by side on one segment: each dialect has two virtual routers of its own, one that the
// first router is to be master of and one that the second is. What happens to a router then happens in all dialects and
// in both roles at once.

export type RouterName = "r1" | "r2" | "r3";
export type Half = "a" | "b";
const hostOf = { r1: 1, r2: 2, r3: 3 } as const;
export const ipv4Of = (router: RouterName): string => `172.16.1.${hostOf[router]}`;
export const ipv6Of = (router: RouterName): string => `2001:db8:1::${hostOf[router]}`;

export interface Dialect {
  readonly name: string;
  readonly version: 2 | 3;
  readonly family: 4 | 6;
  /** Seconds. */
  readonly interval: number;
  /** How many virtual addresses. */
  readonly addresses?: number;
  /** Lines inside the instance. */
  readonly lines?: (router: RouterName) => string;
  /** Of keepalived 2.4. */
  readonly modern?: true;
}

const others = (router: RouterName): RouterName[] => (["r1", "r2", "r3"] as const).filter((each) => each !== router);
const unicast =
  (addressOf: (router: RouterName) => string) =>
  (router: RouterName): string =>
    `unicast_src_ip ${addressOf(router)}\n unicast_peer {\n ${others(router).map(addressOf).join("\n ")}\n }\n check_unicast_src`;
const authentication = (type: string, password = "secret12"): string =>
  `authentication {\n auth_type ${type}\n auth_pass ${password}\n }`;
const signature = (key: string): string =>
  `auth_hmac {\n key 5 "${key}"\n active_key 5\n anti_replay time\n mode enforce\n }`;
const key = "0123456789abcdef0123456789abcdef";

const v2 = { version: 2, family: 4, interval: 1 } as const;
const v3 = { version: 3, family: 4, interval: 0.5 } as const;
const v3over6 = { ...v3, family: 6 } as const;

const everyDialect: readonly Dialect[] = [
  { ...v2, name: "v2", addresses: 3 },
  { ...v2, name: "v2-PASS", lines: () => authentication("PASS") },
  { ...v2, name: "v2-AH", lines: () => authentication("AH") },
  { ...v2, name: "v2-AH-unicast", lines: (router) => `${authentication("AH")}\n ${unicast(ipv4Of)(router)}` },
  { ...v2, family: 6, name: "v2-IPv6" },
  { ...v3, name: "v3", addresses: 3 },
  { ...v3, name: "v3-unicast", lines: unicast(ipv4Of) },
  { ...v3, name: "v3-VMAC", lines: () => "use_vmac" },
  { ...v3over6, name: "v3-IPv6", addresses: 2 },
  { ...v3over6, name: "v3-IPv6-unicast", lines: unicast(ipv6Of) },
  { ...v2, name: "v2-HMAC", lines: () => signature(key), modern: true },
  { ...v3, name: "v3-HMAC", lines: () => signature(key), modern: true },
  { ...v3over6, name: "v3-IPv6-HMAC", lines: () => signature(key), modern: true },
];

/** Dialects in which the routers do not agree about what a master has to know: nobody listens to anybody. */
const strangers: readonly Dialect[] = [
  { ...v2, name: "other-PASS", lines: (router) => authentication("PASS", `${router}secret`) },
  { ...v2, name: "other-AH", lines: (router) => authentication("AH", `${router}secret`) },
  { ...v3, name: "other-HMAC", lines: (router) => signature(`${router}${key.slice(2)}`), modern: true },
];

export interface VirtualRouter {
  readonly dialect: Dialect;
  /** a: r1 is to be master; b: r2 is. */
  readonly half: Half;
  readonly vrid: number;
  /** Of the instance. */
  readonly name: string;
  readonly addresses: readonly string[];
  /** How long a router of that priority waits for a master that fell silent, in milliseconds. */
  masterDownMs(priority: number): number;
}

const base = { a: 1, b: 101 } as const;
const strangersFrom = 41;

function place(dialect: Dialect, index: number, half: Half): VirtualRouter {
  const vrid = base[half] + index;
  const count = dialect.addresses ?? 1;
  const addresses = Array.from({ length: count }, (_, at) =>
    dialect.family === 4
      ? `172.16.${100 + at}.${vrid}`
      : `${at === 1 ? "fe80:" : "2001:db8:1:"}:${(0x100 + vrid).toString(16)}`,
  );
  const intervalMs = dialect.interval * 1000;
  return {
    dialect,
    half,
    vrid,
    name: `${dialect.name}-${half}`,
    addresses,
    masterDownMs: (priority) => 3 * intervalMs + ((256 - priority) / 256) * (dialect.version === 2 ? 1000 : intervalMs),
  };
}

export interface Wire {
  /** Whose routers hear each other. */
  readonly agreed: readonly VirtualRouter[];
  readonly disagreed: readonly VirtualRouter[];
}

/** `modern`: the keepalived at hand knows what 2.4 brought. `only`: some dialects, and no strangers. */
export function planWire(modern: boolean, only?: readonly string[]): Wire {
  const known = ({ name, modern: needed }: Dialect): boolean =>
    only === undefined ? modern || needed !== true : only.includes(name);
  const placed = (dialects: readonly Dialect[], from: number): VirtualRouter[] =>
    dialects
      .filter(known)
      .flatMap((dialect, index) => [place(dialect, from + index, "a"), place(dialect, from + index, "b")]);
  return { agreed: placed(everyDialect, 0), disagreed: placed(strangers, strangersFrom) };
}

/** Of the router that is to be master, of the one that is to follow it, of the one that comes last. */
export const priorities = { preferred: 150, next: 100, last: 50 } as const;

export function priorityOf(router: RouterName, half: Half): number {
  if (router === "r3") return priorities.last;
  return (router === "r1") === (half === "a") ? priorities.preferred : priorities.next;
}

/** `trackFile` names the file whose number counts for a half. */
export function wireConf(wire: Wire, router: RouterName, trackFile: (half: Half) => string): string {
  const files = (["a", "b"] as const).map(
    (half) => `vrrp_track_file ${half} {\n file ${trackFile(half)}\n weight 1\n}\n`,
  );
  const instances = [...wire.agreed, ...wire.disagreed].map((virtualRouter) => instanceConf(virtualRouter, router));
  return `${files.join("")}${instances.join("")}`;
}

function instanceConf({ name, vrid, half, dialect, addresses }: VirtualRouter, router: RouterName): string {
  const priority = priorityOf(router, half);
  const mask = dialect.family === 4 ? 16 : 64;
  return `vrrp_instance ${name} {
 interface eth0
 state ${priority === priorities.preferred ? "MASTER" : "BACKUP"}
 priority ${priority}
 virtual_router_id ${vrid}
 version ${dialect.version}
 advert_int ${dialect.interval}
 garp_master_delay 1
 ${dialect.lines?.(router) ?? ""}
 track_file {
 ${half}
 }
 virtual_ipaddress {
 ${addresses.map((address) => `${address}/${mask}`).join("\n ")}
 }
}
`;
}
