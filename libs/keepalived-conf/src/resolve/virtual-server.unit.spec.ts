import { describe, expect, test } from "vitest";
import type { VirtualServerConfig } from "../config.ts";
import { codes, parse } from "../testing/parse.ts";

const base = "protocol TCP\nlb_algo rr\nlb_kind NAT";
const real = "real_server 10.0.0.2 80 {\n}";

/** The first virtual server of `lines`, and the codes of what is said, without that it is not carried out yet. */
function resolve(lines: string, id = "10.0.0.1 80", before = ""): [VirtualServerConfig | undefined, string[]] {
  const result = parse(`${before}virtual_server ${id} {\n${lines}\n}`);
  const said = codes(result)
    .map((code) => code.replace(/ .*/, ""))
    .filter((code) => code !== "accepted");
  return [result.config?.virtualServers[0], said];
}

describe("the service", () => {
  test.each<[string, object, string[]]>([
    [
      base,
      {
        protocol: "tcp",
        scheduler: "rr",
        forwarding: "masquerade",
        delayLoop: 60_000_000,
        persistenceTimeout: 0,
        quorum: 1,
        hysteresis: 0,
      },
      [],
    ],
    [`${base}\nprotocol udp`, { protocol: "udp" }, []],
    [`${base}\nlvs_sched wrr\nlvs_method DR`, { scheduler: "wrr", forwarding: "direct-route" }, []],
    [`${base}\nlb_kind TUN`, { forwarding: "tunnel" }, []],
    [`${base}\nlb_kind dr`, { forwarding: "masquerade" }, ["invalid-value"]],
    [`${base}\npersistence_timeout`, { persistenceTimeout: 360_000_000 }, []],
    [`${base}\npersistence_timeout 50`, { persistenceTimeout: 50_000_000 }, []],
    [`${base}\npersistence_timeout 0`, { persistenceTimeout: 0 }, ["invalid-number"]],
    [`${base}\npersistence_granularity 255.255.255.0`, { persistenceTimeout: 360_000_000 }, []],
    [`${base}\ndelay_loop 6.5`, { delayLoop: 6_500_000 }, []],
    [`${base}\nquorum 3`, { quorum: 1 }, ["quorum"]],
    [`${base}\nhysteresis 1`, { hysteresis: 0 }, ["hysteresis"]],
    ["", { protocol: "udp", scheduler: "wlc", forwarding: "masquerade" }, ["lb-algo", "lb-kind", "no-protocol"]],
  ])("%j", (lines, expected, said) => {
    const [server, places] = resolve(`${lines}\n${real}`);
    expect(server).toMatchObject(expected);
    expect(places.toSorted()).toEqual(said);
  });

  test("without real servers it is left out", () => {
    expect(resolve(base)).toEqual([undefined, ["no-real-server"]]);
  });

  test("firewall marks and groups", () => {
    expect(resolve(`lb_algo rr\nlb_kind DR\n${real}`, "fwmark 7")).toMatchObject([
      { id: { kind: "fwmark", mark: 7 }, realServers: [{ port: 0 }] },
      ["port"],
    ]);
    expect(resolve(`${base}\n${real}`, "fwmark 7")[1]).toEqual(["fwmark-protocol"]);
    const group = "virtual_server_group g {\n10.0.0.1 80\n}\n";
    expect(resolve(`${base}\n${real}`, "group g", group)).toMatchObject([{ id: { kind: "group", name: "g" } }, []]);
    expect(resolve(`${base}\n${real}`, "group h", group)).toEqual([undefined, ["group-unknown"]]);
  });

  test("all ports need persistence", () => {
    expect(resolve(`${base}\n${real}`, "10.0.0.1")).toMatchObject([{ persistenceTimeout: 360_000_000 }, ["zero-port"]]);
  });

  test("an address that is none skips the whole block", () => {
    const result = parse(`virtual_server 10.0.0 80 {\n${base}\nfoo 1\n${real}\n}`);
    expect(result.config?.virtualServers).toEqual([]);
    expect(codes(result)).toEqual(["invalid-value 1:16"]);
  });
});

describe("real and sorry servers", () => {
  test.each<[string, object, string[]]>([
    ["real_server 10.0.0.2 8080 {\nweight 5\n}", [{ address: "10.0.0.2", port: 8080, weight: 5 }], []],
    ["real_server 10.0.0.2 {\n}", [{ port: 80, weight: 1 }], []],
    ["weight 7\nreal_server 10.0.0.2 {\n}", [{ weight: 7 }], []],
    ["lb_kind DR\nreal_server 10.0.0.2 8080 {\n}", [{ port: 80 }], ["port"]],
    ["real_server 10.0.0.2 81 {\nlvs_method DR\n}", [{ port: 80 }], ["port"]],
    ["real_server 10.0.0.2 80 {\n}\nreal_server 10.0.0.2 80 {\n}", [{ address: "10.0.0.2" }], ["real-server-twice"]],
    [`real_server fe80::2 80 {\n}\n${real}`, [{ address: "10.0.0.2" }], ["address-family"]],
    ["lb_kind TUN\nreal_server fe80::2 80 {\n}", [{ address: "fe80::2" }], []],
  ])("%j", (lines, servers, said) => {
    const [server, places] = resolve(`${base}\n${lines}`);
    expect(server?.realServers).toMatchObject(servers);
    expect(server?.realServers).toHaveLength(1);
    expect(places).toEqual(said);
  });

  test.each<[string, object | undefined, string[]]>([
    ["sorry_server 127.0.0.1 80", { address: "127.0.0.1", port: 80 }, []],
    ["sorry_server 127.0.0.1", { address: "127.0.0.1", port: 80 }, []],
    ["sorry_server 127.0.0.1 8080", { address: "127.0.0.1", port: 8080 }, []],
    ["lb_kind DR\nsorry_server 127.0.0.1 8080", { address: "127.0.0.1", port: 80 }, ["port"]],
    ["sorry_server ::1 80", undefined, ["address-family"]],
    ["sorry_server nowhere 80", undefined, ["invalid-value"]],
  ])("%j", (line, expected, said) => {
    const [server, places] = resolve(`${base}\n${line}\n${real}`);
    expect(server?.sorryServer).toEqual(expected);
    expect(places).toEqual(said);
  });
});

describe("checkers", () => {
  const check = (checker: string, inReal = "", inService = "") => {
    const [server, said] = resolve(`${base}\n${inService}\nreal_server 10.0.0.2 80 {\n${inReal}\n${checker}\n}`);
    return [server?.realServers[0]?.checkers, said] as const;
  };

  test.each([
    ["TCP_CHECK", 1, 1],
    ["PING_CHECK", 1, 1],
    ["UDP_CHECK", 1, 1],
    ["SMTP_CHECK", 1, 1],
    ["DNS_CHECK", 3, 60],
    ["MISC_CHECK", 0, 1],
  ])("%s: retry %i after %i s by default", (type, retry, delay) => {
    expect(check(`${type} {\n}`)).toEqual([
      [
        {
          type,
          connectPort: undefined,
          connectTimeout: 5_000_000,
          retry,
          delayBeforeRetry: delay * 1_000_000,
          urls: [],
        },
      ],
      [],
    ]);
  });

  test("what the checker leaves open the real server says, then the service", () => {
    const own = "TCP_CHECK {\nconnect_timeout 1\nretry 0\ndelay_before_retry 2\nconnect_port 8080\n}";
    const outer = (factor: number) =>
      `connect_timeout ${3 * factor}\nretry ${4 * factor}\ndelay_before_retry ${5 * factor}`;
    const times = (timeout: number, retry: number, delay: number) => ({
      connectTimeout: timeout * 1_000_000,
      retry,
      delayBeforeRetry: delay * 1_000_000,
    });
    expect(check(own, outer(1), outer(2))[0]).toMatchObject([{ ...times(1, 0, 2), connectPort: 8080 }]);
    expect(check("TCP_CHECK {\n}", outer(1), outer(2))[0]).toMatchObject([times(3, 4, 5)]);
    expect(check("TCP_CHECK {\n}", "", outer(2))[0]).toMatchObject([times(6, 8, 10)]);
    expect(check("DNS_CHECK {\ndelay_loop 7\n}")[0]).toMatchObject([{ delayBeforeRetry: 7_000_000 }]);
  });

  test("several, in the order of the file", () => {
    const [found] = check('TCP_CHECK {\n}\nMISC_CHECK {\nmisc_path "/x"\n}\nTCP_CHECK {\nconnect_port 1\n}');
    expect(found?.map(({ type, connectPort }) => [type, connectPort])).toEqual([
      ["TCP_CHECK", undefined],
      ["MISC_CHECK", undefined],
      ["TCP_CHECK", 1],
    ]);
  });

  test("urls of HTTP_GET and SSL_GET", () => {
    const digest = "D36F8F9425C4A8000AD9C4A97185ACA5";
    const urls = `url {\npath /a\nstatus_code 200-204 301\ndigest ${digest}\n}\nurl {\npath "/b c"\n}`;
    for (const type of ["HTTP_GET", "SSL_GET"]) {
      expect(check(`${type} {\n${urls}\n}`)).toMatchObject([
        [
          {
            type,
            retry: 1,
            delayBeforeRetry: 3_000_000,
            urls: [
              {
                path: "/a",
                statusCodes: [
                  { min: 200, max: 204 },
                  { min: 301, max: 301 },
                ],
                digest: digest.toLowerCase(),
              },
              { path: "/b c", statusCodes: [{ min: 200, max: 299 }], digest: undefined },
            ],
          },
        ],
        [],
      ]);
    }
  });

  test.each([
    ["HTTP_GET {\n}", "no-url"],
    ["HTTP_GET {\nurl {\n}\n}", "no-path no-url"],
    [
      "HTTP_GET {\nurl {\npath /\nstatus_code 99 600 x 300-200\n}\n}",
      "invalid-value invalid-value invalid-value invalid-value",
    ],
    ["HTTP_GET {\nurl {\npath /\ndigest xyz\n}\n}", "invalid-value"],
    ["HTTP_GET {\nnb_get_retry 2\nurl {\npath /\n}\n}", "deprecated"],
    ["TCP_CHECK {\nconnect_port 0\n}", "invalid-number"],
    ["TCP_CHECK {\nconnect_timeout 70\n}", "long-timeout"],
  ])("%j", (checker, said) => expect(check(checker)[1].toSorted().join(" ")).toBe(said));
});
