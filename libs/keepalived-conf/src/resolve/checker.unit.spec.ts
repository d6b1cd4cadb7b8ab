import { describe, expect, test } from "vitest";
import type { CheckerConfig } from "../config.ts";
import { codes, parse } from "../testing/parse.ts";

interface Around {
  readonly inReal?: string;
  readonly inService?: string;
  readonly before?: string;
  readonly server?: string;
}

/** The checkers of one real server, and the codes of what is said. */
function check(checker: string, { inReal = "", inService = "", before = "", server = "10.0.0.2 80" }: Around = {}) {
  const lines = `protocol TCP\nlb_algo rr\nlb_kind NAT\n${inService}\nreal_server ${server} {\n${inReal}\n${checker}\n}`;
  const result = parse(`${before}virtual_server 10.0.0.1 80 {\n${lines}\n}`, {
    executable: (name) => name === "/bin/true",
    userExists: (name) => name === "nobody",
    groupExists: () => true,
  });
  const said = codes(result)
    .map((code) => code.replace(/ .*/, ""))
    .filter((code) => code !== "accepted" && code !== "script-security");
  const found: readonly CheckerConfig[] = result.config?.virtualServers[0]?.realServers[0]?.checkers ?? [];
  return [found, said.toSorted()] as const;
}

const connection = {
  address: "10.0.0.2",
  port: 80,
  bindAddress: undefined,
  bindPort: undefined,
  bindInterface: undefined,
  timeout: 5_000_000,
  mark: 0,
};
const minute = 60_000_000;
const second = 1_000_000;

describe("every default", () => {
  const times = { alpha: false, delayLoop: minute, warmup: minute, logAllFailures: false };
  const once = { ...times, retry: 1, delayBeforeRetry: second };
  const get = { httpVersion: "1.0", closeConnection: false, fastRecovery: false };
  const url = {
    path: "/",
    host: undefined,
    statusCodes: [{ min: 200, max: 299 }],
    digest: undefined,
    regex: undefined,
  };
  const sslUrl = { ...url, serverName: undefined, tlsCompliant: false };

  test.each<[string, object]>([
    ["TCP_CHECK {\n}", { type: "TCP_CHECK", ...once, connection }],
    ["PING_CHECK {\n}", { type: "PING_CHECK", ...once, connection }],
    ["UDP_CHECK {\n}", { type: "UDP_CHECK", ...once, connection, payload: undefined, reply: undefined }],
    ["SMTP_CHECK {\n}", { type: "SMTP_CHECK", ...once, connection, heloName: "smtpchecker.keepalived.org" }],
    [
      "DNS_CHECK {\n}",
      { type: "DNS_CHECK", ...times, retry: 3, delayBeforeRetry: minute, connection, queryType: "SOA", name: "." },
    ],
    [
      "HTTP_GET {\nurl {\npath /\n}\n}",
      { type: "HTTP_GET", ...times, retry: 1, delayBeforeRetry: 3 * second, connection, ...get, urls: [url] },
    ],
    [
      "SSL_GET {\nurl {\npath /\n}\n}",
      { type: "SSL_GET", ...times, retry: 1, delayBeforeRetry: 3 * second, connection, ...get, urls: [sslUrl] },
    ],
    [
      "MISC_CHECK {\nmisc_path /bin/true\n}",
      {
        type: "MISC_CHECK",
        ...times,
        retry: 0,
        delayBeforeRetry: second,
        command: { text: "/bin/true", argv: ["/bin/true"], run: "exec", user: undefined },
        timeout: minute,
        dynamic: false,
      },
    ],
  ])("%j", (text, expected) => expect(check(text)).toEqual([[expected], []]));
});

describe("times", () => {
  const given = (factor: number) =>
    `retry ${factor}\ndelay_before_retry ${2 * factor}\nwarmup ${3 * factor}\ndelay_loop ${40 * factor}\nconnect_timeout ${5 * factor}`;
  const times = (factor: number) => ({
    retry: factor,
    delayBeforeRetry: 2 * factor * second,
    warmup: 3 * factor * second,
    delayLoop: 40 * factor * second,
    connection: { timeout: 5 * factor * second },
  });

  test("what the checker leaves open the real server says, then the virtual server", () => {
    const around = { inReal: given(2), inService: given(3) };
    expect(check(`TCP_CHECK {\n${given(1)}\n}`, around)[0]).toMatchObject([times(1)]);
    expect(check("TCP_CHECK {\n}", around)[0]).toMatchObject([times(2)]);
    expect(check("TCP_CHECK {\n}", { inService: given(3) })[0]).toMatchObject([times(3)]);
  });

  test.each<[string, object, string[]]>([
    ["retry 0", { retry: 0 }, []],
    ["delay_before_retry 0", { delayBeforeRetry: 0 }, []],
    ["warmup 0", { warmup: 0 }, []],
    ["delay_loop 7", { delayLoop: 7 * second, warmup: 7 * second }, []],
    ["delay_loop 0", { delayLoop: minute }, ["invalid-number"]],
    ["delay_loop 0.000001\nconnect_timeout 0.000001", { delayLoop: 1, connection: { timeout: 1 } }, []],
    ["connect_timeout 4294.967295", { connection: { timeout: 4_294_967_295 } }, ["lint/long-timeout"]],
    ["delay_loop 18446744073709", { delayLoop: Number.MAX_SAFE_INTEGER }, []],
    ["connect_timeout 4294.967296", { connection: { timeout: 5 * second } }, ["invalid-number"]],
    ["connect_timeout 70", { connection: { timeout: 70 * second } }, ["lint/long-timeout"]],
    ["alpha", { alpha: true }, []],
    ["log_all_failures", { logAllFailures: true }, []],
  ])("%j", (lines, expected, said) => {
    const [found, places] = check(`TCP_CHECK {\n${lines}\n}`);
    expect(found).toMatchObject([expected]);
    expect(places).toEqual(said);
  });

  test("a DNS_CHECK waits for delay_loop unless somebody says otherwise", () => {
    expect(check("DNS_CHECK {\ndelay_loop 7\n}")[0]).toMatchObject([{ delayBeforeRetry: 7 * second }]);
    expect(check("DNS_CHECK {\ndelay_loop 7\n}", { inService: "delay_before_retry 2" })[0]).toMatchObject([
      { delayBeforeRetry: 2 * second },
    ]);
  });

  test("alpha and log_all_failures from further out", () => {
    expect(check("TCP_CHECK {\n}", { inService: "alpha" })[0]).toMatchObject([{ alpha: true }]);
    expect(check("TCP_CHECK {\nalpha no\n}", { inReal: "alpha" })[0]).toMatchObject([{ alpha: false }]);
    expect(check("BFD_CHECK {\n}", { inReal: "alpha" })[0]).toEqual([]);
    const before = "global_defs {\nchecker_log_all_failures\n}\n";
    expect(check("TCP_CHECK {\nlog_all_failures no\n}", { before })[0]).toMatchObject([{ logAllFailures: true }]);
  });
});

describe("connections", () => {
  test.each<[string, object, string[]]>([
    ["connect_ip 10.0.0.7\nconnect_port 8080", { address: "10.0.0.7", port: 8080 }, []],
    ["connect_ip 10.0.0.7/24", { address: "10.0.0.7" }, ["surplus-words"]],
    ["connect_ip nowhere", { address: "10.0.0.2" }, ["invalid-value"]],
    ["connect_port 0", { port: 80 }, ["invalid-number"]],
    ["connect_port 65535", { port: 65535 }, []],
    ["bindto 10.0.0.8\nbind_port 5", { bindAddress: "10.0.0.8", bindPort: 5 }, []],
    ["bind_port 5", { bindAddress: undefined, bindPort: undefined }, ["bind-port"]],
    ["bindto fe80::8", { bindAddress: undefined }, ["address-family"]],
    ["bindto fe80::8\nconnect_ip 2001:db8::1", { address: "2001:db8::1", bindAddress: undefined }, ["address-family"]],
    ["connect_ip 2001:db8::1\nbindto fe80::8", { address: "2001:db8::1", bindAddress: "fe80::8" }, []],
    ["bindto 10.0.0.8\nconnect_ip fe80::1", { address: "10.0.0.2", bindAddress: "10.0.0.8" }, ["address-family"]],
    ["bind_if eth0\nfwmark 4294967295", { bindInterface: "eth0", mark: 4294967295 }, []],
    ["bind_if abcdefghijklmnop", { bindInterface: undefined }, ["invalid-value"]],
    ["connect_ip fe80::1\nbind_if eth0", { address: "fe80::1" }, []],
  ])("%j", (lines, expected, said) => {
    const [found, places] = check(`TCP_CHECK {\n${lines}\n}`);
    expect(found).toMatchObject([{ connection: expected }]);
    expect(places).toEqual(said);
  });

  test("a link-local address without an interface leads nowhere", () => {
    expect(check("TCP_CHECK {\nconnect_ip fe80::1\n}")).toEqual([[], ["bind-interface"]]);
    expect(check("TCP_CHECK {\nconnect_ip febf::1\n}")).toEqual([[], ["bind-interface"]]);
    expect(check("TCP_CHECK {\nconnect_ip fec0::1\n}")[1]).toEqual([]);
  });

  test("the port of a real server that has none is that of its virtual server", () => {
    expect(check("TCP_CHECK {\n}", { server: "10.0.0.2" })[0]).toMatchObject([{ connection: { port: 80 } }]);
    expect(check("TCP_CHECK {\n}", { server: "10.0.0.2 81" })[0]).toMatchObject([{ connection: { port: 81 } }]);
    expect(check("TCP_CHECK {\n}", { server: "10.0.0.2 81", inReal: "lvs_method DR" })[0]).toMatchObject([
      { connection: { port: 81 } },
    ]);
  });

  test("without any port there is nothing to connect to", () => {
    const text = (type: string) =>
      parse(`virtual_server fwmark 1 {\nlb_algo rr\nlb_kind DR\nreal_server 10.0.0.2 {\n${type} {\n}\n}\n}`);
    expect(codes(text("TCP_CHECK"))).toContain("no-check-port 5:1");
    expect(codes(text("PING_CHECK"))).not.toContain("no-check-port 5:1");
  });
});

test("several, in the order of the file", () => {
  const [found] = check("TCP_CHECK {\n}\nMISC_CHECK {\nmisc_path /bin/true\n}\nPING_CHECK {\n}\nTCP_CHECK {\n}");
  expect(found.map(({ type }) => type)).toEqual(["TCP_CHECK", "MISC_CHECK", "PING_CHECK", "TCP_CHECK"]);
});

describe("SMTP_CHECK", () => {
  const ends = (text: string, around: Around = {}) =>
    check(`SMTP_CHECK {\n${text}\n}`, around)[0].map((checker) =>
      checker.type === "SMTP_CHECK" ? `${checker.connection.address} ${checker.connection.port}` : "",
    );
  const hosts = "host {\nconnect_ip 10.0.0.7\n}\nhost {\nconnect_port 26\n}";

  test("each host is a checker, and so is the block if it says where to", () => {
    expect(ends(hosts)).toEqual(["10.0.0.7 80", "10.0.0.2 26"]);
    expect(ends(`connect_timeout 2\n${hosts}`)).toEqual(["10.0.0.7 80", "10.0.0.2 26"]);
    expect(ends(`connect_port 587\n${hosts}`)).toEqual(["10.0.0.2 587", "10.0.0.7 80", "10.0.0.2 26"]);
    expect(ends("")).toEqual(["10.0.0.2 80"]);
  });

  test("what a host leaves open the block says", () => {
    const [found] = check(
      "SMTP_CHECK {\nhelo_name a\nretry 5\nconnect_timeout 2\nhost {\nretry 6\n}\nhost {\nconnect_timeout 3\n}\n}",
    );
    expect(found).toMatchObject([
      { heloName: "a", retry: 6, connection: { timeout: 2 * second } },
      { heloName: "a", retry: 5, connection: { timeout: 3 * second } },
    ]);
  });

  test("bindto may come before the address that it is for", () => {
    expect(check("SMTP_CHECK {\nbindto fe80::8\nconnect_ip 2001:db8::1\n}")).toMatchObject([
      [{ connection: { address: "2001:db8::1", bindAddress: "fe80::8" } }],
      [],
    ]);
    expect(check("SMTP_CHECK {\nhost {\nbindto fe80::8\nconnect_ip 2001:db8::1\n}\n}")).toMatchObject([
      [{ connection: { address: "2001:db8::1", bindAddress: "fe80::8" } }],
      ["deprecated"],
    ]);
    expect(check("SMTP_CHECK {\nbindto fe80::8\n}")).toMatchObject([
      [{ connection: { address: "10.0.0.2", bindAddress: undefined } }],
      ["address-family"],
    ]);
  });
});

test.each<[string, object, string[]]>([
  ["type aaaa\nname example.com.", { queryType: "AAAA", name: "example.com." }, []],
  ["type XX", { queryType: "SOA" }, ["invalid-value"]],
  ['name ""', { name: "." }, []],
  ["name .", { name: "." }, []],
  ["name .a", { name: "." }, ["invalid-value"]],
  [`name ${"a".repeat(63)}.example`, { name: `${"a".repeat(63)}.example` }, []],
  [`name ${"a".repeat(64)}.example`, { name: `${"a".repeat(64)}.example` }, ["invalid-value"]],
  [`name ${"abc.".repeat(64)}`, { name: "abc.".repeat(64) }, ["invalid-value"]],
  ["name a..b\nname c.d.e", { name: "c.d.e" }, ["invalid-value", "short-label"]],
  ["name ab\nname cd", { name: "ab" }, ["repeated"]],
])("DNS_CHECK %j", (lines, expected, said) => {
  const [found, places] = check(`DNS_CHECK {\n${lines}\n}`);
  expect(found).toMatchObject([expected]);
  expect(places).toEqual(said);
});

test.each<[string, object, string[]]>([
  ["payload 01 2 0345", { payload: [1, 2, 3, 0x45] }, []],
  ["payload 0", { payload: [0] }, []],
  ["payload 012", { payload: [1, 2] }, []],
  ["payload XX", { payload: undefined }, ["invalid-value"]],
  ["payload", { payload: undefined }, ["missing-value"]],
  ["payload 01\npayload g", { payload: [1] }, ["invalid-value"]],
  ["require_reply", { reply: { minLength: 0, maxLength: 255, pattern: undefined } }, []],
  ["require_reply 0f", { reply: { pattern: { octets: [15], mask: [255] } } }, []],
  [
    "require_reply 1X x2 XX x 7",
    { reply: { pattern: { octets: [16, 2, 0, 0, 7], mask: [240, 15, 0, 240, 255] } } },
    [],
  ],
  ["require_reply 0g", { reply: { pattern: undefined } }, ["invalid-value"]],
  [
    "require_reply\nmin_reply_length 65535\nmax_reply_length 65535",
    { reply: { minLength: 65535, maxLength: 65535 } },
    [],
  ],
  ["require_reply\nmin_reply_length 65536", { reply: { minLength: 0 } }, ["invalid-number"]],
  ["require_reply\nmin_reply_length 6\nmax_reply_length 5", { reply: { minLength: 6 } }, ["reply-length"]],
  ["min_reply_length 6", { reply: undefined }, []],
])("UDP_CHECK %j", (lines, expected, said) => {
  const [found, places] = check(`UDP_CHECK {\n${lines}\n}`);
  expect(found).toMatchObject([expected]);
  expect(places).toEqual(said);
});

describe("MISC_CHECK", () => {
  const path = "misc_path /bin/true";
  test.each<[string, object | undefined, string[]]>([
    ["misc_path \"/bin/true a 'b c'\"", { command: { argv: ["/bin/true", "a", "b c"] } }, []],
    [`${path}\nmisc_timeout 5\nmisc_dynamic`, { timeout: 5 * second, dynamic: true }, []],
    [`${path}\nmisc_timeout 0`, { timeout: minute }, []],
    [`${path}\nmisc_timeout 4294`, { timeout: 4294 * second }, []],
    [`${path}\nmisc_timeout 4295`, { timeout: minute }, ["invalid-number"]],
    [`${path}\nuser nobody nogroup`, { command: { user: { user: "nobody", group: "nogroup" } } }, []],
    [`${path}\nuser`, { command: { user: undefined } }, ["missing-value"]],
    [`${path}\nuser nobody\nuser quentin`, undefined, ["unknown-user"]],
    ["", undefined, ["no-script"]],
    ["misc_path", undefined, ["no-script"]],
    ["misc_path /bin/none", undefined, ["lint/script-not-found"]],
    ['misc_path "[[ -f /x ]]"', { command: { run: "shell" } }, ["lint/shell-syntax-script"]],
  ])("%j", (lines, expected, said) => {
    const [found, places] = check(`MISC_CHECK {\n${lines}\n}`);
    expect(found).toMatchObject(expected === undefined ? [] : [expected]);
    expect(places).toEqual(said);
  });

  test("may run as long as the virtual server's delay_loop", () => {
    expect(check(`MISC_CHECK {\n${path}\ndelay_loop 5\n}`, { inService: "delay_loop 9" })[0]).toMatchObject([
      { timeout: 9 * second, delayLoop: 5 * second },
    ]);
  });
});

describe("FILE_CHECK", () => {
  const before = "track_file f {\nfile /run/f\nweight 5 reverse\n}\ntrack_file g {\nfile /run/g\n}\n";
  const file = (trackFile: string, weight: number, reverse = false) => [
    { type: "FILE_CHECK", trackFile, weight, reverse },
  ];
  test.each<[string, object[], string[]]>([
    ["track_file f", file("f", 5, true), []],
    ["track_file g", file("g", 1), []],
    ["track_file f\nweight -2147483647", file("f", -2147483647), []],
    ["track_file f\nweight 3 reverse", file("f", 3, true), []],
    ["track_file f\nweight 3 noreverse", file("f", 3), []],
    ["track_file f\nweight 3 back", file("f", 5, true), ["invalid-value"]],
    ["track_file f\nweight 2147483648", file("f", 5, true), ["invalid-number"]],
    ["track_file f\nweight", file("f", 5, true), ["missing-value"]],
    ["track_file f\ntrack_file x", file("f", 5, true), ["track-file"]],
    ["track_file x", [], ["no-track-file", "track-file"]],
    ["weight 3", [], ["no-track-file"]],
  ])("%j", (lines, expected, said) => {
    expect(check(`FILE_CHECK {\n${lines}\n}`, { before })).toEqual([expected, said]);
  });

  test("only of files that are defined above", () => {
    const below = `virtual_server 10.0.0.1 80 {\nprotocol TCP\nlb_algo rr\nlb_kind NAT\nreal_server 10.0.0.2 80 {\nFILE_CHECK {\ntrack_file g\n}\n}\n}\n`;
    expect(codes(parse(below + before))).toContain("track-file 7:1");
    expect(codes(parse(before + below))).not.toContain("track-file 15:1");
  });
});

describe("BFD_CHECK", () => {
  const session = (name: string, number: number, lines = "") =>
    `bfd_instance ${name} {\nneighbor_ip 10.0.0.${number}\nsource_ip 10.0.0.8\n${lines}\n}\n`;
  const before = session("b", 9) + session("v", 19, "vrrp") + session("c", 29, "checker");
  const follows = (name: string, alpha = false) => ({ type: "BFD_CHECK", session: name, alpha });
  test.each<[string, object[], string[]]>([
    ["BFD_CHECK {\nname b\nalpha\n}", [follows("b", true)], []],
    ["BFD_CHECK {\nname b\n}\nBFD_CHECK {\nname c\n}", [follows("b"), follows("c")], []],
    ["BFD_CHECK {\nname b\n}\nBFD_CHECK {\nname b\n}", [follows("b")], ["bfd-session"]],
    ["BFD_CHECK {\nname v\n}", [], ["bfd-session"]],
    ["BFD_CHECK {\nname x\n}", [], ["bfd-session"]],
    ["BFD_CHECK {\nname b c\n}", [], ["bfd-session"]],
    ["BFD_CHECK {\nname\n}", [], ["bfd-session"]],
    ["BFD_CHECK {\nname b\nname c\n}", [], ["bfd-session"]],
    ["BFD_CHECK {\n}", [], ["bfd-session"]],
  ])("%j", (lines, expected, said) => expect(check(lines, { before })).toEqual([expected, said]));
});
