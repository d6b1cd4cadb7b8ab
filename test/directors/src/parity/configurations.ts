// What a file can say of its virtual servers, one configuration for each thing worth telling apart. Real servers follow a
// file: keepalived hears of a change at once, and starts no programs for it.

/** Servers answer, or not, by the number in their file. */
export const hosts = ["11", "12"] as const;
export type Host = (typeof hosts)[number];

/** 0: it answers. */
export const trackPath = (host: Host): string => `/run/down${host}`;
const trackFiles = hosts.map((host) => `track_file down${host} {\nfile ${trackPath(host)}\nweight 0\n}\n`).join("");

const followed = (host: Host, lines: string): string => `FILE_CHECK {\ntrack_file down${host}\n${lines}\n}`;

interface ServerLines {
  /** In the real server. */
  readonly lines?: string;
  readonly port?: number;
  /** In its check. */
  readonly check?: string;
  readonly network?: string;
}

export const real = (
  host: Host,
  { lines = "", port = 80, check = "weight 0", network = "192.0.2." }: ServerLines = {},
) => `real_server ${network}${host} ${port} {\n${lines}\n${followed(host, check)}\n}\n`;
const both = (how: ServerLines = {}): string => hosts.map((host) => real(host, how)).join("");
const both6 = (how: ServerLines = {}): string => both({ network: "2001:db8::", ...how });
/** Nobody asks for it: it always answers. */
const unchecked = (address: string, port = 80, lines = ""): string => `real_server ${address} ${port} {\n${lines}\n}\n`;

export const service = (id: string, lines: string, servers: string): string =>
  `virtual_server ${id} {\ndelay_loop 6\n${lines}\n${servers}}\n`;
const tcp = (id: string, lines: string, servers = both()): string =>
  service(id, `protocol TCP\nlb_algo rr\nlb_kind DR\n${lines}`, servers);
const group = (name: string, ...entries: string[]): string =>
  `virtual_server_group ${name} {\n${entries.join("\n")}\n}\n`;

const sorry = "sorry_server 192.0.2.99 80";
const schedulers = "rr wrr lc wlc lblc lblcr sh mh dh fo ovf sed nq".split(" ");

const texts: Readonly<Record<string, string>> = {
  "nothing but servers": tcp("192.0.2.1 80", ""),
  "every scheduler": schedulers.map((name, i) => tcp(`192.0.2.${i + 100} 80`, `lb_algo ${name}`)).join(""),
  "flags of sh": [
    tcp("192.0.2.1 80", "lb_algo sh\nsh-port\nsh-fallback"),
    tcp("192.0.2.1 81", "lb_algo sh\nsh-port"),
    tcp("192.0.2.1 82", "lb_algo sh\nflag-3"),
  ].join(""),
  "flags of mh": tcp("192.0.2.1 80", "lb_algo mh\nmh-port") + tcp("192.0.2.1 81", "lb_algo mh\nmh-port\nmh-fallback"),
  "flags by number": tcp("192.0.2.1 80", "flag-1\nflag-3") + tcp("192.0.2.1 81", "lb_algo wlc\nflag-2"),
  "each packet by itself": tcp("192.0.2.1 53", "protocol UDP\nops", both({ port: 53 })),
  "persistence, as long as nobody says": tcp("192.0.2.1 80", "persistence_timeout"),
  "persistence by network": tcp("192.0.2.1 80", "persistence_timeout 60\npersistence_granularity 255.255.254.0"),
  "persistence by prefix": tcp("2001:db8::1 80", "persistence_timeout 60\npersistence_granularity 64", both6()),
  "persistence by call": tcp(
    "192.0.2.1 5060",
    "protocol UDP\npersistence_timeout 60\npersistence_engine sip",
    both({ port: 5060 }),
  ),
  "all ports": tcp("192.0.2.1 0", "lb_kind NAT", both({ port: 0 })) + tcp("192.0.2.2 0", ""),
  "marks, by every way to a server": [
    service("fwmark 7", "lb_algo rr\nlb_kind DR", both()),
    service("fwmark 8", "lb_algo wlc\nlb_kind NAT", real("11") + real("12", { port: 0 })),
    service("fwmark 4294967295", "lb_algo rr\nlb_kind TUN\npersistence_timeout 30", both()),
  ].join(""),
  "a mark of IPv6": service("fwmark 6", "lb_algo rr\nlb_kind NAT\nip_family inet6", both6()),
  "a group of ranges": [
    group("ranges", "192.0.2.101-103 80", "192.0.2.254-255 81"),
    tcp("group ranges", sorry, real("11", { lines: "lvs_method NAT" }) + real("12", { port: 0 })),
  ].join(""),
  "a group of ranges and marks, persistent": [
    group("mixed", "192.0.2.101-103 80", "fwmark 7", "192.0.2.200 0"),
    tcp("group mixed", "persistence_timeout 60\npersistence_granularity 255.255.255.0"),
  ].join(""),
  "a group of both families": [
    group("families", "2001:db8::101-103 80", "192.0.2.1 80", "fwmark 7 inet6", "fwmark 7 inet"),
    tcp("group families", "lb_kind TUN", real("11") + real("12", { network: "2001:db8::" })),
  ].join(""),
  "a group for two protocols": [
    group("two", "192.0.2.1 53"),
    tcp("group two", "lb_kind NAT", both({ port: 53 })),
    tcp("group two", "lb_kind NAT\nprotocol UDP\nlb_algo wlc", real("11", { port: 5353 })),
  ].join(""),
  "other ports behind NAT": tcp(
    "192.0.2.1 80",
    "lb_kind NAT",
    real("11", { port: 8080 }) + real("12", { port: 0 }) + unchecked("192.0.2.11", 8081),
  ),
  "tunnels of IP": tcp("192.0.2.1 80", "lb_kind TUN", both() + unchecked("2001:db8::13")),
  "tunnels of GUE": tcp(
    "192.0.2.1 80",
    "",
    [
      real("11", { lines: "lvs_method TUN type gue port 6080" }),
      real("12", { lines: "lvs_method TUN type gue port 65535 remcsum" }),
      unchecked("192.0.2.13", 80, "lvs_method TUN type gue port 1 csum"),
    ].join(""),
  ),
  "tunnels of GRE": tcp(
    "192.0.2.1 80",
    "lb_kind TUN",
    real("11", { lines: "lvs_method TUN type gre csum" }) + real("12", { lines: "lvs_method TUN type gre nocsum" }),
  ),
  "each server by a way of its own": tcp(
    "192.0.2.1 80",
    "lb_kind NAT",
    real("11", { lines: "lvs_method DR" }) + real("12", { lines: "lvs_method TUN" }) + unchecked("192.0.2.13", 8080),
  ),
  "limits of connections": tcp(
    "192.0.2.1 80",
    sorry,
    real("11", { lines: "uthreshold 200\nlthreshold 100" }) + real("12", { lines: "uthreshold 7" }),
  ),
  "a sorry server": tcp("192.0.2.1 80", sorry),
  "a sorry server that stays": tcp("192.0.2.1 80", `${sorry}\nsorry_server_inhibit`),
  "a sorry server by a way of its own": tcp(
    "192.0.2.1 80",
    "lb_kind NAT\nsorry_server 192.0.2.99 8080\nsorry_server_lvs_method DR",
    both({ port: 8080 }),
  ),
  "a sorry server on this machine": tcp("192.0.2.1 80", "sorry_server 127.0.0.1 80\npersistence_timeout 300"),
  "servers that stay": tcp("192.0.2.1 80", "inhibit_on_failure"),
  "a server that stays beside one that goes": tcp(
    "192.0.2.1 80",
    "",
    real("11", { lines: "inhibit_on_failure" }) + real("12"),
  ),
  "servers that stay, and a sorry server": tcp("192.0.2.1 80", `${sorry}\ninhibit_on_failure`),
  "servers that stay, and a sorry server that does": tcp(
    "192.0.2.1 80",
    `${sorry}\nsorry_server_inhibit\ninhibit_on_failure`,
  ),
  "weight 0": tcp("192.0.2.1 80", sorry, real("11", { lines: "weight 0" }) + real("12", { lines: "weight 65535" })),
  "weights by a file": tcp(
    "192.0.2.1 80",
    "lb_algo wrr",
    [
      real("11", { lines: "weight 5", check: "weight 3" }),
      real("12", { lines: "weight 5", check: "weight -2" }),
      unchecked("192.0.2.13", 80, "weight 4"),
    ].join(""),
  ),
  "a quorum of both": tcp("192.0.2.1 80", `${sorry}\nquorum 2`),
  "a quorum with hysteresis": tcp("192.0.2.1 80", `${sorry}\nquorum 3\nhysteresis 1`, both({ lines: "weight 2" })),
  "a quorum without a sorry server": tcp("192.0.2.1 80", "quorum 2"),
  "a quorum that servers which stay cannot keep": tcp("192.0.2.1 80", `${sorry}\nquorum 2\ninhibit_on_failure`),
  "an end that is told": tcp("192.0.2.1 80", `${sorry}\nomega\nquorum 2\nhysteresis 1`),
  "servers that have to prove themselves": tcp("192.0.2.1 80", `${sorry}\nalpha`),
  "IPv6, by every way to a server": [
    tcp("2001:db8::1 80", "lb_kind NAT", both6({ port: 8080 })),
    tcp("2001:db8::1 53", "protocol UDP\nsorry_server 2001:db8::99 53", both6({ port: 53 })),
    tcp("2001:db8::2 80", "lb_kind TUN", both6() + real("11")),
  ].join(""),
  "one address, three protocols": ["TCP", "UDP", "SCTP"]
    .map((protocol) => tcp("192.0.2.1 80", `protocol ${protocol}\nlb_kind NAT\n${sorry}`))
    .join(""),
  "one server in two services": [
    tcp("192.0.2.1 80", `${sorry}\nquorum 2`),
    tcp("192.0.2.2 443", "lb_kind NAT", both()),
    tcp("192.0.2.2 80", "lb_kind NAT\ninhibit_on_failure", real("12") + unchecked("192.0.2.11")),
  ].join(""),
  // The next two follow each other: everything that a reload can change in place.
  "before a change of everything": [
    tcp("192.0.2.1 80", "lb_kind NAT", unchecked("192.0.2.11", 80, "weight 1") + real("12")),
    tcp("192.0.2.2 80", "lb_kind NAT\npersistence_timeout 60"),
    tcp("192.0.2.3 80", ""),
    service("fwmark 7", "lb_algo rr\nlb_kind DR", real("11")),
    group("g", "192.0.2.100-102 80"),
    tcp("group g", "lb_kind NAT", real("11")),
  ].join(""),
  "after a change of everything": [
    tcp(
      "192.0.2.1 80",
      "lb_kind NAT\nlb_algo mh\nmh-port",
      real("11", { lines: "weight 9" }) + unchecked("192.0.2.13"),
    ),
    tcp("192.0.2.2 80", "lb_kind NAT\nlb_algo wrr", real("11")),
    tcp(
      "192.0.2.3 80",
      "persistence_timeout 90\npersistence_granularity 255.255.255.0",
      real("11", { lines: "lvs_method NAT" }) + real("12", { lines: "lvs_method TUN" }),
    ),
    service("fwmark 8", "lb_algo rr\nlb_kind DR", real("11")),
    group("g", "192.0.2.100-102 80"),
    tcp("group g", "lb_kind NAT"),
  ].join(""),
};

export interface Configuration {
  readonly name: string;
  readonly text: string;
}

/**
 * What keepalived's own table lacks or has too much of after a reload from this one to the next, which is its affair.
 * Tables are the same again where it is started with that file.
 */
export const ownWays: Readonly<Record<string, string>> = {
  "each server by a way of its own": "a server that stays gets no new limits",
  "limits of connections": "a server that stays keeps its limits",
  "a sorry server that stays": "a sorry server which need not stay any more does",
  "servers that stay, and a sorry server that does": "a sorry server which is not there any more stays",
  "a quorum that servers which stay cannot keep": "a quorum that was there stays within the next one's hysteresis",
};

export const configurations: readonly Configuration[] = Object.entries(texts).map(([name, text]) => ({
  name,
  text: trackFiles + text,
}));

/** The same around virtual servers that somebody else has thought of. */
export const configurationOf = (name: string, virtualServers: string): Configuration => ({
  name,
  text: trackFiles + virtualServers,
});
