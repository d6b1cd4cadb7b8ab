// The table of verdicts: kinds of real servers, how each behaves from attempt to attempt, and how it is checked. A row is one
// line; it becomes a virtual server with one real server of its own, over IPv4 and over IPv6.

/** Behind which door of the servers a real server stands. */
export type Kind = "tcp" | "http" | "ssl" | "smtp" | "dns" | "udp" | "ping" | "program" | "file" | "bfd";

/**
 * What an attempt meets. Before anybody hears of it: `refused` (RST, or ICMP's port unreachable), `prohibited` (ICMP),
 * `dropped`. Everything else is the server's own doing (servers-main.ts); of a program and a file it is what they say.
 */
export type Behaviour = string;

export interface VerdictCase {
  readonly name: string;
  readonly kind: Kind;
  readonly family: 4 | 6;
  /** Ends the addresses of the virtual server and of the real one. */
  readonly number: number;
  /** Of one attempt after the other; the last one stands. */
  readonly script: readonly Behaviour[];
  /** Lines in the checker, and in the virtual server. `WHO`: the director. */
  readonly check: string;
  readonly service: string;
  /** False: keepalived does not hear what Baton hears at once, and waits for its timeout. */
  readonly sameWaits: boolean;
}

export const directors = ["baton", "keepalived"] as const;
export type Director = (typeof directors)[number];

/** Seconds. Between each two so much room that a slow machine does not mistake one for the other. */
const seconds = { loop: 9, retry: 4, timeout: 4 } as const;
const times = `delay_loop ${seconds.loop}\ndelay_before_retry ${seconds.retry}\nwarmup 8`;
/** A drop is over when its attempt is, and before the next one. */
export const dropSeconds = seconds.timeout + 1;

/** `4`: over IPv4 alone, where a family makes no difference, or the checker has none. */
type Row = readonly [name: string, kind: Kind, script: string, check: string, more?: More];
interface More {
  readonly service?: string;
  readonly only?: 4;
  readonly sameWaits?: false;
}

const retry2 = "retry 2";
const get = (url = "", lines = retry2): string => `${lines}\nurl {\npath /\n${url}\n}`;
const goodDigest = "digest 755f85c2723bb39381c7379a604160d8";
const twoUrls = "url {\npath /a\n}\nurl {\npath /b\n}";
const only4 = { only: 4 } as const;
const onceDown = (state: string): string => `good good ${state} ${state} ${state} ${state} good good`;

const rows: readonly Row[] = [
  ["refused", "tcp", onceDown("refused"), retry2],
  ["dropped", "tcp", onceDown("dropped"), retry2],
  ["prohibited", "tcp", onceDown("prohibited"), retry2],
  ["silent is up", "tcp", "good silent silent silent closed closed", retry2],
  ["default retry", "tcp", "good refused good refused refused good refused refused refused good", "", only4],
  ["retry 0", "tcp", "good refused good refused refused good", "retry 0", only4],
  [
    "retry 3, failures that do not count",
    "tcp",
    "good refused refused refused good refused refused refused refused good good",
    "retry 3",
    only4,
  ],
  ["the first attempt decides", "tcp", "refused good refused good good", "retry 3", only4],
  ["alpha", "tcp", "good refused good good", "alpha\nretry 1", only4],
  [
    "alpha, and the first attempt fails",
    "tcp",
    "refused refused good refused refused good good",
    "alpha\nretry 1",
    only4,
  ],
  ["alpha of the service", "tcp", "good refused refused good", "", { service: "alpha", only: 4 }],
  ["omega", "tcp", "good good", "", { service: "omega", only: 4 }],
  ["omega, alpha, never up", "tcp", "refused refused refused", "", { service: "alpha\nomega", only: 4 }],
  ["inhibited", "tcp", onceDown("refused"), "", { service: "inhibit_on_failure", only: 4 }],
  ["a shorter warmup", "tcp", onceDown("refused"), "retry 1\nwarmup 2", only4],
  ["connect_port, bindto's family", "tcp", onceDown("refused"), "connect_port 25\nretry 1", only4],
  ["refused", "http", onceDown("refused"), get()],
  ["dropped", "http", onceDown("dropped"), get()],
  ["silent", "http", onceDown("silent"), get()],
  ["half an answer", "http", onceDown("half"), get()],
  ["half an answer, and closed", "http", onceDown("half-closed"), get()],
  ["reset", "http", onceDown("reset"), get()],
  ["reset in the middle", "http", onceDown("half-reset"), get()],
  ["closed", "http", onceDown("closed"), get()],
  ["another protocol", "http", onceDown("other"), get()],
  ["a status", "http", onceDown("500"), get("status_code 200")],
  ["a status among ranges", "http", "good 301 404 500 500 500 404 good", get("status_code 200-204 301 404")],
  ["status by default", "http", "good 299 300 300 300 204 good", get()],
  ["a digest", "http", onceDown("bad"), get(goodDigest)],
  // keepalived searches the header as well where both come at once: `^` would be there.
  ["a pattern", "http", onceDown("bad"), get("regex g(o+)d")],
  ["a pattern that must not be", "http", onceDown("good-bad"), get("regex bad\nregex_no_match")],
  ["in time", "http", "slow slow slow slow", get()],
  ["too late", "http", onceDown("late"), get()],
  ["slowly, bit by bit", "http", "good drip drip good", get()],
  ["two urls", "http", "good good good 500 500 500 good good good good", `${retry2}\n${twoUrls}`, only4],
  ["two urls, the second fails", "http", "good 500 500 good 500 good good good", `retry 1\n${twoUrls}`, only4],
  [
    "two urls, fast_recovery",
    "http",
    "good good 500 500 500 500 good good good good",
    `${retry2}\nfast_recovery\n${twoUrls}`,
    only4,
  ],
  ["HTTP/1.1", "http", onceDown("500"), `http_protocol 1.1\n${get()}`, only4],
  ["alpha", "http", "500 500 good good 500 500 good good", get("", "alpha\nretry 1"), only4],
  ["refused", "ssl", onceDown("refused"), get()],
  ["silent", "ssl", onceDown("silent"), get()],
  ["closed", "ssl", onceDown("closed"), get()],
  ["no TLS there", "ssl", onceDown("other"), get()],
  ["a status", "ssl", onceDown("500"), get()],
  ["reset in the middle", "ssl", onceDown("half-reset"), get("status_code 200"), only4],
  [
    "nobody's certificates",
    "ssl",
    "good expired another expired another",
    get("", `${retry2}\nenable_sni\nvirtualhost web.example`),
  ],
  ["refused", "smtp", onceDown("refused"), retry2],
  ["dropped", "smtp", onceDown("dropped"), retry2],
  ["silent", "smtp", onceDown("silent"), retry2],
  ["another greeting", "smtp", onceDown("554"), retry2],
  ["a greeting in lines", "smtp", onceDown("220-"), retry2],
  ["HELO is refused", "smtp", onceDown("helo"), retry2],
  ["a greeting of its number alone", "smtp", onceDown("bare"), retry2, only4],
  ["HELO's answer is its number alone", "smtp", onceDown("bare-helo"), retry2, only4],
  ["HELO's answer in lines", "smtp", onceDown("many"), retry2, only4],
  ["closed", "smtp", onceDown("closed"), retry2],
  ["reset", "smtp", onceDown("reset"), retry2],
  ["the first attempt has its retries", "smtp", "554 554 554 good 554 554 good", "retry 1", only4],
  ["refused", "dns", onceDown("refused"), `${retry2}\ntype A\nname web.example`],
  ["dropped", "dns", onceDown("dropped"), `${retry2}\ntype A\nname web.example`],
  ["silent", "dns", onceDown("silent"), retry2],
  ["it fails", "dns", onceDown("servfail"), `${retry2}\ntype AAAA\nname web.example`],
  ["no such name", "dns", onceDown("nxdomain"), retry2],
  ["truncated is an answer", "dns", "good truncated truncated truncated good", retry2],
  ["default retry and wait", "dns", "good servfail servfail servfail servfail servfail good good", "", only4],
  ["refused", "udp", onceDown("refused"), retry2],
  ["dropped is up", "udp", "good dropped dropped dropped good", retry2],
  ["no reply", "udp", onceDown("silent"), `${retry2}\nrequire_reply`],
  ["another reply", "udp", onceDown("bad"), `${retry2}\npayload 01 02 ff\nrequire_reply 67 6X XX`],
  ["a long reply", "udp", onceDown("long"), `${retry2}\nrequire_reply 67\nmin_reply_length 2\nmax_reply_length 8`],
  ["any reply", "udp", "good bad long bad good", `${retry2}\nrequire_reply`, only4],
  ["dropped", "ping", onceDown("dropped"), retry2],
  ["prohibited", "ping", onceDown("prohibited"), retry2, { sameWaits: false }],
  ["a status", "program", onceDown("1"), retry2, only4],
  ["default retry", "program", "0 1 0 1 1 0", "", only4],
  ["too long", "program", onceDown("hang"), `${retry2}\nmisc_timeout 2`, only4],
  ["a signal", "program", onceDown("signal"), retry2, only4],
  ["weights", "program", "0 7 7 1 9 1 1 9 2 0 0", "retry 1\nmisc_dynamic", only4],
  ["numbers", "file", "0 5 -3 0 -2147483648 0 nothing 3 0", "weight 1", only4],
  // None is reversed: keepalived turns a switch round with the first change of its file only.
  ["a switch", "file", "0 1 0 7 7 0", "weight 0", only4],
  ["a switch that begins down", "file", "1 1 0 1", "weight 0", only4],
  ["a factor, reversed", "file", "0 5 -5 0 2000000000 0", "weight 2 reverse", only4],
  ["there, gone, there again", "bfd", "there there gone gone there there", "", only4],
  ["never there", "bfd", "gone gone gone", "", only4],
  ["there, alpha", "bfd", "there there gone there there", "alpha", only4],
  ["never there, alpha", "bfd", "gone gone gone", "alpha", only4],
];

/** Where the directors come from. */
export const sources = {
  baton: { 4: "10.0.1.1", 6: "fd00::1:1" },
  keepalived: { 4: "10.0.1.2", 6: "fd00::1:2" },
} as const;

/** Either end of a BFD session. */
export const sessionText = (name: number | string, neighbor: string, own: string): string =>
  `bfd_instance b${name} {\nneighbor_ip ${neighbor}\nsource_ip ${own}\nmin_rx 1000\nmin_tx 1000\nmultiplier 5\n}\n`;

const networks = {
  service: { 4: "10.9.0.", 6: "fd09::" },
  server: { 4: "10.2.0.", 6: "fd02::" },
} as const;
/** Hexadecimal as decimal digits: the same in both families. */
export const serverAddress = ({ family, number }: Pick<VerdictCase, "family" | "number">): string =>
  `${networks.server[family]}${number}`;
export const place = "/run/verdicts";
export const fileOf = ({ number }: VerdictCase): string => `${place}/file${number}`;

export const verdictCases = (family: 4 | 6): readonly VerdictCase[] =>
  rows.flatMap(([name, kind, script, check, { service = "", only = family, sameWaits = true } = {}], row) =>
    only === family
      ? [
          {
            name: `${kind}: ${name}`,
            kind,
            family,
            number: row + 1,
            script: script.split(" "),
            check,
            service,
            sameWaits,
          },
        ]
      : [],
  );

const checkers: Readonly<Record<Kind, string>> = {
  tcp: "TCP_CHECK",
  http: "HTTP_GET",
  ssl: "SSL_GET",
  smtp: "SMTP_CHECK",
  dns: "DNS_CHECK",
  udp: "UDP_CHECK",
  ping: "PING_CHECK",
  program: "MISC_CHECK",
  file: "FILE_CHECK",
  bfd: "BFD_CHECK",
};
export const portOf: Readonly<Partial<Record<Kind, number>>> = {
  http: 80,
  ssl: 443,
  smtp: 25,
  dns: 53,
  udp: 7,
  tcp: 9,
};

/** The configuration of either director. */
export function verdictFile(cases: readonly VerdictCase[], who: Director): string {
  const files = cases.filter(({ kind }) => kind === "file");
  const followed = files.map((each) => `track_file f${each.number} {\nfile ${fileOf(each)}\n}\n`).join("");
  const sessions = cases
    .filter(({ kind }) => kind === "bfd")
    .map((each) => sessionText(each.number, serverAddress(each), sources[who][each.family]))
    .join("");
  const fifo = who === "keepalived" ? `lvs_notify_fifo ${place}/fifo\n` : "";
  const globals = `global_defs {\nscript_user root\n${fifo}}\n`;
  return globals + followed + sessions + cases.map((each) => serviceText(each, who)).join("");
}

function serviceText(each: VerdictCase, who: Director): string {
  const { kind, number, family, check, service } = each;
  const port = portOf[kind] ?? 80;
  const own = {
    program: `misc_path "${place}/check ${who} ${number}"\n`,
    file: `track_file f${number}\n`,
    bfd: `name b${number}\n`,
  }[kind as string];
  const timeout = ["program", "file", "bfd"].includes(kind) ? "" : `connect_timeout ${seconds.timeout}\n`;
  return (
    `virtual_server ${networks.service[family]}${number} 80 {\n${times}\nlb_algo rr\nlb_kind NAT\nprotocol TCP\n${service}\n` +
    `real_server ${serverAddress(each)} ${port} {\nweight 1\n${checkers[kind]} {\n${own ?? ""}${timeout}${check}\n}\n}\n}\n`
  );
}
