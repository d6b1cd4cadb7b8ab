// Words to write behind a keyword: what its argument allows, the ends of its range, one beyond them, and what is wrong
// in the ways in which people are wrong. Made of the argument's syntax and range alone, as a manual shows them.
import type { Argument } from "../keywords/table.ts";

/** What to write for a word of a syntax that stands for something; the first one is usual. */
const meanings: Readonly<Record<string, readonly string[]>> = {
  ADDR: addresses(),
  BOOL: ["true", "on", "yes", "false", "off", "no", "TRUE", "1", "0", "maybe", '""'],
  BYTES: ["65536", "0", "-1", "4294967295", "4294967296", "5k"],
  CMD: [
    "/usr/bin/true",
    '"/usr/bin/true a b"',
    "\"/usr/bin/true 'a b' c\"",
    '"/usr/bin/true',
    "'/usr/bin/true a'",
    "true",
    "/nonexistent/program",
    '"/nonexistent/program a"',
    "nosuchprogram",
    "/etc/passwd",
    "/bin",
    '""',
    '"   "',
    '"</etc/passwd"',
    '"< /etc/passwd"',
    '"</nonexistent"',
    '"<"',
    "bin/true",
    "/bin/true",
    "/usr/bin/true;",
    '"/usr/bin/true \\x41 \\101 \\q"',
  ],
  CPU: ["0", "1", "0 1", "-1", "1023", "1024", "x", "0,1", "99999"],
  DIR: ["{DIR}", "folder", "/nonexistent/directory", "/etc/passwd", '""'],
  FQDN: ["example.net", "example.net.", ".", "a..b", '""', "x_y.example", "-a", "1"],
  GROUP: ["root", "nosuchgroup", "0", '""'],
  HEX: ["0a0b", "0a 0b", '"0a 0b"', "0", "0g", "xx", "0xff", '""', "abcdef0"],
  HOST: ["10.0.0.25", "localhost", "::1", "10.0.0.256", '""', "no such host"],
  IF: ["eth0", "eth1", "lo", "nosuch0", "eth0:1", "abcdefghijklmno", "abcdefghijklmnop", '""'],
  IFNAME: ["eth0", "eth1", "lo", "nosuch0", "eth0:1", "abcdefghijklmno", "abcdefghijklmnop", '""'],
  IP: ["10.0.0.77", "fd00::77", "10.0.0.77/24", "10.0.0.256", "10.0.0", "0.0.0.0", "::", "nosuch", '""'],
  LOGFILE: ["/dev/null", "log", '""'],
  MAC: ["02:00:00:00:00:01", "02-00-00-00-00-01", "02:00:00:00:00", "01:00:5e:00:00:01", "02:00:00:00:00:0g"],
  MASK: ["255.255.255.0", "255.0.255.0", "0.0.0.0", "255.255.255.256"],
  MD5: [
    "0123456789abcdef0123456789abcdef",
    "0123456789ABCDEF0123456789ABCDEF",
    "0123456789abcdef0123456789abcde",
    "0123456789abcdef0123456789abcdef0",
    "0123456789abcdef0123456789abcdeg",
    '""',
  ],
  NAME: ["some-name", '"a name"', '""', "abcdefghijklmnop", "x".repeat(64), '"open'],
  PASS: ["secret"],
  PATH: ["{DIR}/file", "file", '"{DIR}/a file"', '""', '"{DIR}/open', "/nonexistent/directory/file", "/etc"],
  PATTERN: ["hello", "'a b'", '"a b"', "[", "(", "a\\", '""', "'open", ".*", "a{2}"],
  PORT: ["80", "http", '""', "-1", "80x", "+80", "080", "0x50"],
  PREFIX: ["24", "0", "32", "33", "-1", "64", "128", "129", "x"],
  SPEC: ["unix:{DIR}/agentx", "udp:localhost:705", '""'],
  STRING: ["text", '"two words"', '""', '"open', "x".repeat(64), "12345678", "123456789"],
  TABLE: ["table", '"a table"', '""', "x".repeat(64)],
  TYPE: ["A", "NS", "CNAME", "SOA", "MX", "TXT", "AAAA", "a", "Mx", "ANY", "1", "nosuch", '""'],
  USER: ["root", "nobody", "nosuchuser", "0", '""'],
};

/** Capitals that are to be written as they stand. */
const literals: ReadonlySet<string> = new Set(["VS", "NAT", "DR", "TUN", "TCP", "UDP", "SCTP", "MASTER", "BACKUP"]);

/** The words above that only their range tells apart. */
const numeric: ReadonlySet<string> = new Set(["N", "SECS", "USECS", "MS", "S", "START", "MAX", "PORT", "PRIO"]);

function addresses(): string[] {
  const ipv4 = ["10.0.0.77", "0.0.0.0", "127.0.0.1", "255.255.255.255", "224.0.0.18", "010.0.0.1", "10.0.0.256"];
  const ipv6 = [
    "fd00::77",
    "::",
    "::1",
    "fe80::1",
    "ff02::12",
    "FD00::77",
    "::ffff:10.0.0.1",
    "fd00:::1",
    "fe80::1%eth0",
  ];
  return [
    ...ipv4,
    ...ipv6,
    "10.0.0.77/24",
    "10.0.0.77/33",
    "fd00::77/64",
    "10.0.0",
    "10.0.0.1.2",
    "nosuch",
    '""',
    "a@b.c",
  ];
}

const plain = (value: number): string => value.toFixed(9).replace(/\.?0+$/, "");

function numbers(range: string): string[] {
  const match = /(-?[\d.]+) to (-?[\d.]+)/.exec(range);
  const [min, max] = [Number(match?.[1] ?? 1), Number(match?.[2] ?? 1000)];
  const middle = Math.floor(min + (max - min) / 2) || 1;
  const near = [min, max, min - 1, max + 1, min + 1, max - 1, min - 0.000001, max + 0.000001, 0, -1].map(plain);
  const written = ["1.5", "0.5", "1.", ".5", "1.1234567", "0.0000001", "1,5", "0x10", "1e3", "x", '""', "9".repeat(20)];
  const middles = [
    `${middle}x`,
    `${middle};`,
    `+${middle}`,
    `0${middle}`,
    `-${middle}`,
    `" ${middle}"`,
    `"${middle} "`,
  ];
  return [...new Set([plain(middle), ...near, ...middles, ...written])];
}

/** One word of a syntax. */
interface Slot {
  readonly samples: readonly string[];
  readonly optional: boolean;
}

function slotsOf(syntax: string, range: string): Slot[] {
  let depth = 0;
  return syntax
    .split(/\s+/)
    .filter((word) => word !== "" && word !== "…")
    .map((word) => {
      const name = word.replace(/^\[+|\]+$/g, "");
      depth += word.indexOf(name);
      const optional = depth > 0;
      depth -= word.length - name.length - word.indexOf(name);
      return { samples: name.split("|").flatMap((each) => samplesOfWord(each, range)), optional };
    });
}

function samplesOfWord(name: string, range: string): readonly string[] {
  const known = Object.hasOwn(meanings, name) ? (meanings[name] ?? []) : [];
  if (numeric.has(name)) return [...numbers(range), ...known];
  if (known.length > 0) return known;
  // A placeholder that nobody has told of yet.
  if (/^[A-Z]{2,}$/.test(name) && !literals.has(name)) return ["word", "1", "0", "-1", "x y", '""'];
  return [name, name.toUpperCase(), name.toLowerCase(), `${name}x`];
}

/** What to write behind keywords whose words depend on each other. The first is usual. */
const byKeyword: Readonly<Record<string, readonly string[]>> = {
  include_check: ["read match", "", "+wildcard_match", "-brace_match", "Read", "+", "-", "all", "+nosuch", "read read"],
  key: [
    "1 secret",
    "255 secret",
    "0 secret",
    "256 secret",
    "x secret",
    "1",
    '1 ""',
    `1 ${"x".repeat(65)}`,
    "1 0x00ff",
    "1 hex:00ff",
  ],
  lvs_sync_daemon: [
    "eth0",
    "eth0 VI_1",
    "eth0 inst VI_1",
    "eth0 inst nosuch",
    "eth0 VI_1 id 7",
    "eth0 id 0",
    "eth0 id 255",
    "eth0 id 256",
    "eth0 id x",
    "eth0 id",
    "eth0 maxlen 1",
    "eth0 maxlen 65507",
    "eth0 maxlen 65508",
    "eth0 maxlen 0",
    "eth0 port 1",
    "eth0 port 65535",
    "eth0 port 65536",
    "eth0 ttl 1",
    "eth0 ttl 255",
    "eth0 ttl 256",
    "eth0 ttl 0",
    "eth0 group 224.0.0.81",
    "eth0 group ff02::81",
    "eth0 group 10.0.0.1",
    "eth0 group nosuch",
    "eth0 inst VI_1 id 3 maxlen 1000 port 9000 ttl 5 group 224.0.0.99",
    "eth0 nosuch 1",
    "nosuch0",
    "eth0 VI_1 VI_1",
    "abcdefghijklmnop",
  ],
  lvs_timeouts: [
    "tcp 900",
    "tcp 900 tcpfin 120 udp 300",
    "",
    "tcp",
    "tcp 0",
    "udp 2678400",
    "udp 2678401",
    "tcp x",
    "nosuch 3",
    "900",
  ],
  process: [
    "/usr/bin/true",
    "/usr/bin/true a b",
    '"/usr/bin/true a" b',
    "true",
    '""',
    '/usr/bin/true ""',
    '"/usr/bin/true',
    "/nonexistent/program",
  ],
  regex_options: [
    "caseless",
    "caseless multiline",
    "nosuch",
    '""',
    "CASELESS",
    "utf",
    "allow_empty_class anchored dotall",
  ],
  regex_stack: ["1 2", "1024 65536", "0 1", "1 0", "2 1", "x 1", "1 x", "1"],
  status_code: [
    "200",
    "200-299",
    "200 204",
    "200-299 301",
    "299-200",
    "99",
    "100",
    "599",
    "600",
    "200-",
    "-200",
    "200-600",
    "x",
    '""',
    "200,204",
  ],
  umask: [
    "022",
    "0177",
    "777",
    "0777",
    "1777",
    "8",
    "IRUSR",
    "IRUSR|IWUSR",
    "IRUSR | IWUSR",
    "IRUSR IWUSR",
    "IXXX",
    "|",
    "-1",
    '""',
    "0",
  ],
  use_ipvlan: [
    "",
    "ipvl0",
    "name ipvl0",
    "name",
    "ipvl0 bridge",
    "ipvl0 private",
    "ipvl0 vepa",
    "bridge",
    "10.0.0.66",
    "ipvl0 10.0.0.66",
    "ipvl0 10.0.0.66/24",
    "ipvl0 fd00::66",
    "ipvl0 nosuch",
    "abcdefghijklmnop",
    "ipvl0 ipvl1",
    "group 1",
    "ipvl0 group nosuch",
    "name ipvl0 10.0.0.66/24 bridge",
    "eth1",
    '""',
  ],
  use_vmac: [
    "",
    "vrrp.51",
    "name vrrp.51",
    "name",
    "vrrp.51 02:00:00:00:00:01",
    "02:00:00:00:00:01",
    "02:00:00:00:00",
    "vrrp.51 02:00:00:00:00",
    "vrrp.51 01:00:5e:00:00:01",
    "vrrp.51 00:00:5e:00:01:05",
    "vrrp.51 00:00:00:00:00:00",
    "vrrp.51 02:00:00:00:00:0g",
    "vrrp.51 netlink_notify_msg",
    "netlink_notify_msg",
    "vrrp.51 group 1",
    "vrrp.51 group default",
    "vrrp.51 group nosuch",
    "vrrp.51 group",
    "abcdefghijklmno",
    "abcdefghijklmnop",
    "a b",
    "eth1",
    "eth0",
    "name eth1",
    '""',
    "vrrp/51",
  ],
  virtual_server: [
    "10.0.0.77 80",
    "10.0.0.77",
    "10.0.0.77 0",
    "10.0.0.77 65535",
    "10.0.0.77 65536",
    "10.0.0.77 x",
    "10.0.0.77/24 80",
    "fd00::77 80",
    "fd00::77",
    "0.0.0.0 80",
    "nosuch 80",
    "fwmark 1",
    "fwmark 0",
    "fwmark 4294967295",
    "fwmark 4294967296",
    "fwmark x",
    "fwmark",
    "group VSG",
    "group nosuch",
    "group",
    '""',
    "10.0.0.77 80 extra",
  ],
  vrrp_ipsets: [
    "",
    "set4",
    "set4 set6",
    "set4 set6 setif",
    "set4 set4",
    "set4 set6 setif setigmp setmld setnd",
    "set4 set6 setif setigmp setmld setnd extra",
    "abcdefghijklmnopqrstuvwxyzabcde",
    "abcdefghijklmnopqrstuvwxyzabcdef",
    '""',
  ],
  vrrp_iptables: [
    "",
    "IN4",
    "IN4 OUT4",
    "IN4 IN4",
    "abcdefghijklmnopqrstuvwxyza",
    "abcdefghijklmnopqrstuvwxyzab",
    '""',
    "A B C",
  ],
  vrrp_rx_bufs_policy: [
    "MTU",
    "ADVERT",
    "mtu",
    "advert",
    "65536",
    "0",
    "-1",
    "MTU 100",
    "NO",
    '""',
    "5k",
    "ADVERT MTU",
  ],
};

/** What to write behind a keyword, nothing at all included; the first is usual. */
export function samplesOf(
  keyword: string,
  argument: Pick<Argument<unknown>, "syntax" | "range"> | undefined,
): string[] {
  const { syntax = "", range = "" } = argument ?? {};
  const given = Object.hasOwn(byKeyword, keyword) ? byKeyword[keyword] : undefined;
  const samples = given ?? samplesOfSlots(slotsOf(syntax, range));
  return [...new Set([...samples, "", `${samples[0] ?? ""} surplus`.trim()])];
}

function samplesOfSlots(slots: readonly Slot[]): string[] {
  const usual = slots.map(({ samples }) => samples[0] ?? "");
  const required = usual.filter((_, i) => slots[i]?.optional === false).join(" ");
  const varied = slots.flatMap(({ samples }, i) =>
    samples.map((sample) =>
      // Optional words that come later are left out.
      [...usual.slice(0, i), sample, ...usual.filter((_, j) => j > i && slots[j]?.optional === false)].join(" "),
    ),
  );
  return [required, ...varied, usual.join(" ")];
}
