import { describe, expect, test } from "vitest";
import type { VirtualServerConfig } from "../config.ts";
import { codes, parse } from "../testing/parse.ts";

const base = "protocol TCP\nlb_algo rr\nlb_kind NAT";
const real = "real_server 10.0.0.2 80 {\n}";

/** The first virtual server of `lines`, and the codes of what is said, without that it is not carried out yet. */
function resolve(lines: string, id = "10.0.0.1 80", before = ""): [VirtualServerConfig | undefined, string[]] {
  const result = parse(`${before}virtual_server ${id} {\n${lines}\n}`, { executable: () => true });
  const said = codes(result)
    .map((code) => code.replace(/ .*/, ""))
    .filter((code) => code !== "accepted" && code !== "script-security");
  return [result.config?.virtualServers[0], said];
}

const mark = (lines: string) => resolve(lines, "fwmark 7");
const group = (entries: string) => `virtual_server_group g {\n${entries}\n}\n`;

test("every default", () => {
  expect(resolve(`${base}\n${real}`)).toEqual([
    {
      id: { kind: "address", address: "10.0.0.1", port: 80 },
      family: 4,
      protocol: "tcp",
      scheduler: "rr",
      schedulerFlags: [],
      onePacket: false,
      persistence: undefined,
      forwarding: { method: "masquerade" },
      quorum: 1,
      hysteresis: 0,
      alpha: false,
      omega: false,
      haSuspend: false,
      smtpAlert: false,
      quorumUp: undefined,
      quorumDown: undefined,
      snmpName: undefined,
      checkDefaults: {
        delayLoop: 60_000_000,
        connectTimeout: 5_000_000,
        retry: undefined,
        delayBeforeRetry: undefined,
        warmup: undefined,
      },
      realServers: [
        {
          address: "10.0.0.2",
          port: 80,
          weight: 1,
          forwarding: { method: "masquerade" },
          upperThreshold: 0,
          lowerThreshold: 0,
          inhibitOnFailure: false,
          alpha: false,
          smtpAlert: true,
          notifyUp: undefined,
          notifyDown: undefined,
          snmpName: undefined,
          checkers: [],
        },
      ],
      sorryServer: undefined,
    },
    [],
  ]);
});

describe("the service", () => {
  test.each<[string, object, string[]]>([
    ["protocol udp", { protocol: "udp" }, []],
    ["lvs_sched wrr\nlvs_method DR", { scheduler: "wrr", forwarding: { method: "direct-route" } }, []],
    ["lb_algo none\nlb_algo xx", { scheduler: "rr" }, ["invalid-value", "invalid-value"]],
    ["lb_kind dr", { forwarding: { method: "masquerade" } }, ["invalid-value"]],
    ["delay_loop 6.5", { checkDefaults: { delayLoop: 6_500_000 } }, []],
    ["retry 2\nwarmup 0", { checkDefaults: { retry: 2, warmup: 0 } }, []],
    ["quorum 3", { quorum: 1 }, ["lint/quorum-above-weight"]],
    ["hysteresis 1", { hysteresis: 0 }, ["hysteresis"]],
    ["weight 5\nquorum 4\nhysteresis 3", { quorum: 4, hysteresis: 3 }, []],
    ["weight 5\nquorum 4\nhysteresis 4", { quorum: 4, hysteresis: 3 }, ["hysteresis"]],
    ["alpha\nomega\nha_suspend\nsmtp_alert", { alpha: true, omega: true, haSuspend: true, smtpAlert: true }, []],
    ["quorum_up /bin/up nobody", { quorumUp: { argv: ["/bin/up"], user: { user: "nobody" } } }, []],
    ['quorum_down "/bin/down a"', { quorumDown: { argv: ["/bin/down", "a"], run: "exec" } }, []],
    ["snmp_name web", { snmpName: "web" }, []],
    ["ip_family inet6", { family: 4 }, ["address-family"]],
  ])("%j", (lines, expected, said) => {
    const [server, places] = resolve(`${base}\n${lines}\n${real}`);
    expect(server).toMatchObject(expected);
    expect(places.toSorted()).toEqual(said);
  });

  test("says nothing of itself: UDP, wlc, NAT", () => {
    const [server, said] = resolve(real);
    expect(server).toMatchObject({ protocol: "udp", scheduler: "wlc", forwarding: { method: "masquerade" } });
    expect(said.toSorted()).toEqual(["lb-algo", "lb-kind", "no-protocol"]);
  });

  test("without live weight there is no quorum to have", () => {
    const [server, said] = resolve(`${base}\nhysteresis 2\nreal_server 10.0.0.2 80 {\nweight 0\n}`);
    expect(server).toMatchObject({ quorum: 1, hysteresis: 0 });
    expect(said).toEqual(["lint/quorum-above-weight"]);
  });

  test("without real servers it is left out", () => {
    expect(resolve(base)).toEqual([undefined, ["no-real-server"]]);
  });

  test("the second of two that would be one service of the kernel is left out", () => {
    const one = `virtual_server 10.0.0.1 80 {\n${base}\n${real}\n}\n`;
    const result = parse(one + one.replace("TCP", "UDP") + one);
    expect(result.config?.virtualServers.map(({ protocol }) => protocol)).toEqual(["tcp", "udp"]);
    expect(codes(result)).toContain("virtual-server-twice 15:1");
  });

  test("an address that is none skips the whole block", () => {
    const result = parse(`virtual_server 10.0.0 80 {\n${base}\nfoo 1\n${real}\n}`);
    expect(result.config?.virtualServers).toEqual([]);
    expect(codes(result)).toEqual(["invalid-value 1:16"]);
  });

  test.each([
    ["10.0.0.1/24 80", { address: "10.0.0.1", port: 80 }, ["surplus-words"]],
    ["10.0.0.1-9 80", { address: "10.0.0.1", port: 80 }, ["surplus-words"]],
    ["10.0.0.1 80x", { address: "10.0.0.1", port: 80 }, ["invalid-number"]],
    ["10.0.0.1 0", { address: "10.0.0.1", port: 0 }, ["zero-port"]],
    ["2001:DB8::1 80", { address: "2001:db8::1", port: 80 }, ["address-family", "no-real-server"]],
  ])("%s", (id, expected, said) => {
    const [server, places] = resolve(`${base}\n${real}`, id);
    expect(places.toSorted()).toEqual(said);
    if (!said.includes("no-real-server")) expect(server?.id).toMatchObject(expected);
  });

  test("smtp_alert of global_defs, that of checkers first", () => {
    const alert = (lines: string, own = "") => {
      const [server] = resolve(`${base}\n${own}\n${real}`, undefined, `global_defs {\n${lines}\n}\n`);
      return [server?.smtpAlert, server?.realServers[0]?.smtpAlert];
    };
    expect(alert("")).toEqual([false, true]);
    expect(alert("smtp_alert on")).toEqual([true, true]);
    expect(alert("smtp_alert on\nsmtp_alert_checker off")).toEqual([false, false]);
    expect(alert("smtp_alert_checker off", "smtp_alert on")).toEqual([true, false]);
  });
});

describe("scheduler flags", () => {
  test.each<[string, number[], string[]]>([
    ["flag-3\nflag-1", [1, 3], []],
    ["lb_algo sh\nsh-port", [2], []],
    ["lb_algo sh\nsh-fallback\nsh-port", [1, 2], []],
    ["lb_algo mh\nmh-port\nmh-fallback", [1, 2], []],
    ["lb_algo sh\nsh-port\nlb_algo wrr", [2], []],
    ["lb_algo mh\nsh-port", [], ["scheduler-flag"]],
    ["sh-port\nlb_algo sh", [], ["scheduler-flag"]],
    ["hashed", [], ["scheduler-flag"]],
  ])("%j", (lines, flags, said) => {
    const [server, places] = resolve(`${base}\n${lines}\n${real}`);
    expect([server?.schedulerFlags, places]).toEqual([flags, said]);
  });

  test("one packet scheduling is for UDP, and for marks", () => {
    expect(resolve(`${base}\nops\n${real}`)).toMatchObject([{ onePacket: false }, ["one-packet"]]);
    expect(resolve(`${base}\nops\nprotocol UDP\n${real}`)).toMatchObject([{ onePacket: true }, []]);
    expect(mark(`lb_algo rr\nlb_kind NAT\nops\n${real}`)).toMatchObject([{ onePacket: true }, []]);
  });
});

describe("forwarding", () => {
  const gue = { type: "gue", port: 7, checksum: "none" };
  test.each<[string, object, string[]]>([
    ["TUN", { method: "tunnel", tunnel: { type: "ipip" } }, []],
    ["TUN type ipip nocsum", { method: "tunnel", tunnel: { type: "ipip" } }, []],
    [
      "TUN type gue port 65535 remcsum",
      { method: "tunnel", tunnel: { type: "gue", port: 65535, checksum: "remote" } },
      [],
    ],
    ["TUN csum port 1 type gue", { method: "tunnel", tunnel: { type: "gue", port: 1, checksum: "full" } }, []],
    ["TUN type gre csum", { method: "tunnel", tunnel: { type: "gre", checksum: "full" } }, []],
    ["TUN type gue port 7\nlb_kind TUN foo", { method: "tunnel", tunnel: gue }, ["invalid-value"]],
    ["TUN type gue port 7\nlb_kind TUN", { method: "tunnel", tunnel: { type: "ipip" } }, []],
    ["NAT type gue port 7", { method: "masquerade" }, []],
    ["NAT type gue port 7\nlb_kind TUN type foo", { method: "tunnel", tunnel: gue }, ["invalid-value"]],
    ["DR port 7", { method: "direct-route" }, ["invalid-value"]],
  ])("lb_kind %j", (words, expected, said) => {
    const [server, places] = resolve(`${base}\nlb_kind ${words}\n${real}`);
    expect([server?.forwarding, places]).toEqual([expected, said]);
    expect(server?.realServers[0]?.forwarding).toEqual(expected);
  });

  test("a server takes it as it is so far, and the end of it where there was none yet", () => {
    const later = (before: string, after: string) =>
      resolve(`protocol TCP\nlb_algo rr\n${before}\n${real}\n${after}`)[0]?.realServers[0]?.forwarding.method;
    expect(later("lb_kind DR", "lb_kind NAT")).toBe("direct-route");
    expect(later("", "lb_kind DR")).toBe("direct-route");
  });
});

describe("persistence", () => {
  test.each<[string, object | undefined, string[]]>([
    ["persistence_timeout", { timeout: 360_000_000, granularity: undefined, engine: undefined }, []],
    ["persistence_timeout 2678400", { timeout: 2_678_400_000_000 }, []],
    ["persistence_timeout 0", undefined, ["invalid-number"]],
    ["persistence_engine sip", undefined, ["no-persistence"]],
    ["persistence_engine sip\npersistence_timeout 5", { timeout: 5_000_000, engine: "sip" }, []],
    // The kernel takes 15 octets.
    ["persistence_engine abcdefghijklmno\npersistence_timeout", { engine: "abcdefghijklmno" }, []],
    ["persistence_engine abcdefghijklmnop\npersistence_timeout", { engine: "abcdefghijklmno" }, ["invalid-value"]],
    ["persistence_engine abcdefghijklmné\npersistence_timeout", { engine: "abcdefghijklmn" }, ["invalid-value"]],
    [
      "persistence_granularity 255.255.255.0",
      { timeout: 360_000_000, granularity: { kind: "mask", mask: "255.255.255.0" } },
      [],
    ],
    ["persistence_granularity 255.255.255.255", { timeout: 360_000_000, granularity: undefined }, []],
    ["persistence_granularity 255.0.255.0", { granularity: { kind: "mask", mask: "255.0.255.0" } }, ["netmask"]],
    ["persistence_granularity 255.255.0", { granularity: { kind: "mask", mask: "255.255.0.0" } }, []],
    ["persistence_granularity 0xff.0x10", { granularity: { kind: "mask", mask: "255.0.0.16" } }, ["netmask"]],
    ["persistence_granularity 24", { granularity: { kind: "mask", mask: "0.0.0.24" } }, ["netmask"]],
    ["persistence_granularity 256.0.0.0", undefined, ["invalid-value"]],
    ["persistence_granularity 1.2.3.4.5", undefined, ["invalid-value"]],
    ["persistence_granularity 4294967296", undefined, ["invalid-value"]],
  ])("%j", (lines, expected, said) => {
    const [server, places] = resolve(`${base}\n${lines}\n${real}`);
    if (expected === undefined) expect(server?.persistence).toBeUndefined();
    else expect(server?.persistence).toMatchObject(expected);
    expect(places).toEqual(said);
  });

  test("IPv6 by prefix length; it settles the family of a mark", () => {
    const six = "lb_algo rr\nlb_kind NAT\npersistence_granularity";
    const behind = "real_server fe80::2 80 {\n}";
    const prefix = (length: number) => ({ granularity: { kind: "prefix", length } });
    expect(mark(`${six} 64\n${behind}`)).toMatchObject([{ family: 6, persistence: prefix(64) }, []]);
    expect(mark(`${six} 128\n${behind}`)).toMatchObject([{ persistence: prefix(128) }, []]);
    for (const wrong of ["0", "129", "64x"]) {
      expect(mark(`${six} ${wrong}\n${behind}`)).toMatchObject([{ persistence: undefined }, ["invalid-value"]]);
    }
    expect(mark(`${six} 64\n${real}`)[1]).toEqual(["no-real-server", "address-family"]);
  });

  test("all ports need it", () => {
    expect(resolve(`${base}\n${real}`, "10.0.0.1")).toMatchObject([
      { persistence: { timeout: 360_000_000 } },
      ["zero-port"],
    ]);
    expect(resolve(`${base}\n${real}`, "group g", group("10.0.0.1"))).toMatchObject([
      { persistence: { timeout: 360_000_000 } },
      ["zero-port"],
    ]);
  });
});

describe("firewall marks", () => {
  test("take any protocol, and leave the port as it is unless NAT changes it", () => {
    expect(mark(`lb_algo rr\nlb_kind DR\n${real}`)).toMatchObject([
      { id: { kind: "fwmark", mark: 7 }, family: 4, protocol: undefined, realServers: [{ port: 0 }] },
      ["port"],
    ]);
    expect(mark(`lb_algo rr\nlb_kind NAT\n${real}`)).toMatchObject([{ realServers: [{ port: 80 }] }, []]);
    expect(mark(`lb_algo rr\nlb_kind NAT\nreal_server 10.0.0.2 {\n}`)).toMatchObject([
      { realServers: [{ port: 0 }] },
      [],
    ]);
    expect(mark(`${base}\n${real}`)).toMatchObject([{ protocol: undefined }, ["fwmark-protocol"]]);
    expect(mark(`lb_algo rr\nlb_kind NAT\nha_suspend\n${real}`)).toMatchObject([{ haSuspend: false }, ["ha-suspend"]]);
  });

  test("mark 0 is none", () => {
    expect(resolve(`lb_algo rr\nlb_kind NAT\n${real}`, "fwmark 0")).toEqual([undefined, ["no-mark"]]);
  });

  test.each<[string, string, number]>([
    ["NAT", "10.0.0.2", 4],
    ["NAT", "fe80::2", 6],
    ["TUN", "10.0.0.2", 4],
    ["TUN", "fe80::2", 6],
    ["TUN\nip_family inet6", "10.0.0.2", 6],
    ["TUN\nip_family inet", "fe80::2", 4],
  ])("the family behind lb_kind %j and %s is %i", (kind, address, family) => {
    const [server, said] = mark(`lb_algo rr\nlb_kind ${kind}\nreal_server ${address} {\n}`);
    expect([server?.family, said]).toEqual([family, []]);
  });

  test("tunnels to both families are IPv4", () => {
    const servers = "real_server fe80::2 {\n}\nreal_server 10.0.0.2 {\n}";
    expect(mark(`lb_algo rr\nlb_kind TUN\n${servers}`)[0]?.family).toBe(4);
  });
});

describe("groups", () => {
  const behind = (entries: string, lines = `${base}\n${real}`) => resolve(lines, "group g", group(entries));

  test("a virtual server is known by its place among those of its group", () => {
    const result = parse(
      `${group("10.0.0.1 80")}virtual_server group g {\n${base}\n${real}\n}\nvirtual_server group g {\n${base}\nprotocol UDP\n${real}\n}`,
    );
    expect(result.config?.virtualServers.map(({ id }) => id)).toEqual([
      { kind: "group", name: "g", index: 0 },
      { kind: "group", name: "g", index: 1 },
    ]);
  });

  test("one that is not there, or is empty, takes its virtual servers with it", () => {
    expect(resolve(`${base}\n${real}`, "group h", group("10.0.0.1 80"))).toEqual([undefined, ["group-unknown"]]);
    expect(behind("")[1]).toEqual(["empty-group", "group-unknown"]);
    // What is wrong with its servers is told all the same.
    const checked = "real_server 10.0.0.2 80 {\nMISC_CHECK {\n}\n}";
    expect(behind("", `${base}\n${checked}`)[1]).toEqual(["empty-group", "group-unknown", "no-script"]);
  });

  test.each<[string, string, number | undefined, string[]]>([
    ["10.0.0.1 80", `${base}\n${real}`, 4, []],
    ["fwmark 5 inet6", "lb_algo rr\nlb_kind TUN\nreal_server 10.0.0.2 {\n}", 6, []],
    ["fwmark 5", "lb_algo rr\nlb_kind TUN\nreal_server fe80::2 {\n}", 4, []],
    ["10.0.0.1 80\nfe80::1 80", `protocol TCP\nlb_algo rr\nlb_kind TUN\n${real}`, undefined, []],
    ["fe80::1 80", `${base}\n${real}`, undefined, ["group-family"]],
    ["10.0.0.1 80\nfe80::1 80", `${base}\n${real}`, undefined, ["group-family"]],
  ])("%j", (entries, lines, family, said) => {
    const [server, places] = behind(entries, lines);
    expect([server?.family, places]).toEqual([family, said]);
    if (said.length > 0) expect(server).toBeUndefined();
  });

  test("protocol and ha_suspend are judged by what is in them", () => {
    expect(behind("fwmark 5")).toMatchObject([{ protocol: undefined }, ["fwmark-protocol"]]);
    expect(behind("fwmark 5\n10.0.0.1 80")).toMatchObject([{ protocol: "tcp" }, []]);
    expect(behind("fwmark 5\n10.0.0.1 80", `${base}\nha_suspend\n${real}`)).toMatchObject([
      { haSuspend: false },
      ["ha-suspend"],
    ]);
  });
});
