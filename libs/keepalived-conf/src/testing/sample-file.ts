// A whole configuration that keepalived has nothing to say about, with a hole in any one of its blocks: what is written
// into the hole is then all that a complaint can be about.

interface Part {
  readonly open: string;
  /** A line each, and of its own keyword; one that is tried in the hole is left out. */
  readonly lines: readonly string[];
  readonly parts?: readonly Part[];
  /** Written only where the hole is in it. */
  readonly onDemand?: boolean;
}

const url: Part = { open: "url", lines: ["path /"], onDemand: true };

const checkers: readonly Part[] = [
  { open: "TCP_CHECK", lines: [] },
  { open: "HTTP_GET", lines: ["url { path / }"], parts: [url] },
  { open: "SSL_GET", lines: ["url { path / }"], parts: [url] },
  { open: "SMTP_CHECK", lines: [], parts: [{ open: "host", lines: [], onDemand: true }] },
  { open: "DNS_CHECK", lines: [] },
  { open: "PING_CHECK", lines: [] },
  { open: "UDP_CHECK", lines: [] },
  { open: "MISC_CHECK", lines: ["misc_path /usr/bin/true"] },
  { open: "FILE_CHECK", lines: ["track_file FIL"] },
  { open: "BFD_CHECK", lines: ["name BFD"] },
].map((part) => ({ ...part, onDemand: true }));

const instance = (name: string, device: string, vrid: number, address: string, lines: readonly string[]): Part => ({
  open: `vrrp_instance ${name}`,
  lines: [
    `interface ${device}`,
    `virtual_router_id ${vrid}`,
    "priority 100",
    `virtual_ipaddress { ${address} }`,
    ...lines,
  ],
});

const parts: readonly Part[] = [
  { open: "global_defs", lines: ["enable_script_security", "script_user root"] },
  { open: "vrrp_script SCR", lines: ["script /usr/bin/true"] },
  { open: "track_file FIL", lines: ["file {DIR}/tracked"] },
  { open: "vrrp_track_file FI2", lines: ["file {DIR}/tracked"], onDemand: true },
  { open: "vrrp_track_process PRO", lines: ["process /usr/bin/true"] },
  { open: "bfd_instance BFD", lines: ["neighbor_ip 10.0.0.3", "source_ip 10.0.0.9"] },
  { open: "vrrp_sync_group GRP", lines: ["group { VI_3 VI_4 }"], onDemand: true },
  { open: "track_group TGR", lines: ["group { VI_2 }"] },
  { open: "garp_group", lines: ["garp_interval 1", "interface eth1"], onDemand: true },
  {
    ...instance("VI_1", "eth0", 1, "10.0.0.101", []),
    parts: [
      { open: "authentication", lines: ["auth_type PASS", "auth_pass secret"], onDemand: true },
      { open: "auth_hmac", lines: ["key 1 0123456789abcdef0123456789abcdef", "active_key 1"], onDemand: true },
    ],
  },
  instance("VI_2", "eth1", 2, "10.1.0.102", [
    "track_script { SCR }",
    "track_file { FIL }",
    "track_process { PRO }",
    "track_bfd { BFD }",
  ]),
  instance("VI_3", "eth1", 3, "10.1.0.103", []),
  instance("VI_4", "eth1", 4, "10.1.0.104", []),
  { open: "virtual_server_group VSG", lines: ["10.0.0.13 80"] },
  {
    open: "virtual_server group VSG",
    lines: ["protocol TCP", "lb_algo rr", "lb_kind NAT", "real_server 10.0.0.14 80 { }"],
  },
  {
    open: "virtual_server 10.0.0.11 80",
    lines: ["protocol TCP", "lb_algo rr", "lb_kind NAT"],
    parts: [{ open: "real_server 10.0.0.12 80", lines: ["weight 1"], parts: checkers }],
  },
  { open: "SSL", lines: [], onDemand: true },
];

/** The paths of the blocks in which a hole can be: names with dots between. */
export const holes: readonly string[] = [...new Set(["", ...pathsOf(parts, "")])];

function pathsOf(all: readonly Part[], around: string): string[] {
  return all.flatMap(({ open, parts: inner }) => {
    const path = pathOf(open, around);
    return [path, ...pathsOf(inner ?? [], path)];
  });
}

function pathOf(open: string, around: string): string {
  const [name = ""] = open.split(" ");
  return around === "" ? name : `${around}.${name}`;
}

const isWithin = (hole: string, path: string): boolean => hole === path || hole.startsWith(`${path}.`);

/** `lines` in the block at `hole`, after its own lines, of which those of the keyword `without` are left out. */
export function fileAround(hole: string, lines: readonly string[], without = ""): string {
  const state = { filled: false };
  const write = (part: Part, around: string): string[] => {
    const path = pathOf(part.open, around);
    const filled = !state.filled && hole === path;
    if (part.onDemand === true && (state.filled || !isWithin(hole, path))) return [];
    if (filled) state.filled = true;
    const own = part.lines.filter((line) => !filled || line.split(" ")[0] !== without);
    const inner = (part.parts ?? []).flatMap((each) => write(each, path));
    return [`${part.open} {`, ...own, ...inner, ...(filled ? lines : []), "}"];
  };
  const written = parts.flatMap((part) => write(part, ""));
  return `${[...written, ...(hole === "" ? lines : [])].join("\n")}\n`;
}
