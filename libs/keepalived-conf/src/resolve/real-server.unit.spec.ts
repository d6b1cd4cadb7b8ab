import { describe, expect, test } from "vitest";
import type { VirtualServerConfig } from "../config.ts";
import { codes, parse } from "../testing/parse.ts";

const base = "protocol TCP\nlb_algo rr\nlb_kind NAT";
const real = "real_server 10.0.0.2 80 {\n}";

function resolve(lines: string, id = "10.0.0.1 80", before = ""): [VirtualServerConfig | undefined, string[]] {
  const result = parse(`${before}virtual_server ${id} {\n${base}\n${lines}\n}`, { executable: () => true });
  const said = codes(result)
    .map((code) => code.replace(/ .*/, ""))
    .filter((code) => code !== "accepted" && code !== "script-security");
  return [result.config?.virtualServers[0], said];
}

const group = "virtual_server_group g {\n10.0.0.1 80\n10.0.0.1 81\n}\n";

describe("real servers", () => {
  test.each<[string, object, string[]]>([
    ["real_server 10.0.0.2 8080 {\nweight 5\n}", { address: "10.0.0.2", port: 8080, weight: 5 }, []],
    ["real_server 10.0.0.2 {\n}", { port: 80, weight: 1 }, []],
    ["weight 7\nreal_server 10.0.0.2 {\n}", { weight: 7 }, []],
    ["real_server 10.0.0.2 {\n}\nweight 7", { weight: 7 }, []],
    [
      "weight 7\nreal_server 10.0.0.2 {\nweight 0\nweight 2147483648\n}",
      { weight: 0 },
      ["invalid-number", "lint/quorum-above-weight"],
    ],
    ["lb_kind DR\nreal_server 10.0.0.2 8080 {\n}", { port: 80, forwarding: { method: "direct-route" } }, ["port"]],
    ["real_server 10.0.0.2 81 {\nlvs_method DR\n}", { port: 80, forwarding: { method: "direct-route" } }, ["port"]],
    [
      "lb_kind TUN type gue port 7\nreal_server 10.0.0.2 {\nlvs_method TUN type gre\n}",
      { forwarding: { method: "tunnel", tunnel: { type: "gre", checksum: "none" } } },
      [],
    ],
    [
      "real_server 10.0.0.2 {\nuthreshold 4294967295\nlthreshold 5\n}",
      { upperThreshold: 4294967295, lowerThreshold: 5 },
      [],
    ],
    ["alpha\ninhibit_on_failure\nreal_server 10.0.0.2 {\n}", { alpha: true, inhibitOnFailure: true }, []],
    [
      "alpha\ninhibit_on_failure\nreal_server 10.0.0.2 {\nalpha no\ninhibit_on_failure off\n}",
      { alpha: false, inhibitOnFailure: false },
      [],
    ],
    ["real_server 10.0.0.2 {\nsmtp_alert no\nsnmp_name a\n}", { smtpAlert: false, snmpName: "a" }, []],
    [
      'real_server 10.0.0.2 {\nnotify_up "/bin/up a" nobody\nnotify_down /bin/down\n}',
      { notifyUp: { argv: ["/bin/up", "a"], user: { user: "nobody" } }, notifyDown: { argv: ["/bin/down"] } },
      [],
    ],
    ["real_server 10.0.0.2 80 {\n}\nreal_server 10.0.0.2 80 {\n}", { address: "10.0.0.2" }, ["real-server-twice"]],
    ["real_server 10.0.0.2 80 {\n}\nreal_server 10.0.0.2 {\n}", { port: 80 }, ["real-server-twice"]],
    [`real_server fe80::2 80 {\n}\n${real}`, { address: "10.0.0.2" }, ["address-family"]],
    ["lb_kind TUN\nreal_server fe80::2 80 {\n}", { address: "fe80::2" }, []],
    [`real_server fe80::2 80 {\n}\nlb_kind TUN\n${real}`, { address: "10.0.0.2" }, ["address-family"]],
    [`real_server nowhere {\nfoo\n}\n${real}`, { address: "10.0.0.2" }, ["invalid-value"]],
  ])("%j", (lines, expected, said) => {
    const [server, places] = resolve(lines);
    expect(server?.realServers).toMatchObject([expected]);
    expect(places.toSorted()).toEqual(said);
  });

  test("only what keepalived finds itself counts for its verdict", () => {
    const classes = (lines: string) =>
      parse(`virtual_server 10.0.0.1 80 {\n${base}\n${lines}\n}`).diagnostics.find(
        ({ code }) => code === "real-server-twice",
      )?.errorClass;
    expect(classes("real_server 10.0.0.2 80 {\n}\nreal_server 10.0.0.2 80 {\n}")).toBe("general-error");
    expect(classes("real_server 10.0.0.2 80 {\n}\nreal_server 10.0.0.2 {\n}")).toBe("ok");
  });

  test("behind a group each keeps its port, which is of use with NAT only", () => {
    expect(resolve("real_server 10.0.0.2 8080 {\n}", "group g", group)).toMatchObject([
      { realServers: [{ port: 8080 }] },
      [],
    ]);
    expect(resolve("lb_kind DR\nreal_server 10.0.0.2 80 {\n}", "group g", group)).toMatchObject([
      { realServers: [{ port: 80 }] },
      ["port"],
    ]);
    expect(resolve("lb_kind DR\nreal_server 10.0.0.2 {\n}", "group g", group)).toMatchObject([
      { realServers: [{ port: 0 }] },
      [],
    ]);
  });
});

describe("the sorry server", () => {
  const nat = { method: "masquerade" };
  test.each<[string, object | undefined, string[]]>([
    ["sorry_server 127.0.0.1 80", { address: "127.0.0.1", port: 80, forwarding: nat, inhibit: false }, []],
    ["sorry_server 127.0.0.1", { address: "127.0.0.1", port: 0, forwarding: nat, inhibit: false }, []],
    ["sorry_server 127.0.0.1 8080\nsorry_server_inhibit", { port: 8080, inhibit: true }, []],
    ["lb_kind DR\nsorry_server 127.0.0.1", { port: 80 }, []],
    ["lb_kind DR\nsorry_server 127.0.0.1 8080", { port: 80 }, ["port"]],
    [
      "sorry_server 127.0.0.1\nsorry_server_lvs_method TUN type gre",
      { forwarding: { method: "tunnel", tunnel: { type: "gre", checksum: "none" } } },
      [],
    ],
    ["sorry_server ::1 80", undefined, ["address-family"]],
    ["sorry_server ::1 80\nsorry_server_lvs_method TUN", { address: "::1" }, []],
    ["sorry_server nowhere 80", undefined, ["invalid-value"]],
    ["sorry_server_inhibit\nsorry_server 127.0.0.1", { inhibit: false }, ["sorry-server"]],
    ["sorry_server_lvs_method DR", undefined, ["sorry-server"]],
    [
      "sorry_server 127.0.0.1\nsorry_server_inhibit\nsorry_server 127.0.0.2",
      { address: "127.0.0.2", inhibit: false },
      ["replaced"],
    ],
    ["sorry_server 10.0.0.2 80\nsorry_server_inhibit", { inhibit: false }, ["sorry-inhibit"]],
    ["sorry_server 10.0.0.2 80\ninhibit_on_failure", { inhibit: true }, ["sorry-inhibit"]],
    ["sorry_server 10.0.0.2 80\ninhibit_on_failure\nsorry_server_inhibit", { inhibit: true }, []],
  ])("%j", (lines, expected, said) => {
    const [server, places] = resolve(`${lines}\n${real}`);
    if (expected === undefined) expect(server?.sorryServer).toBeUndefined();
    else expect(server?.sorryServer).toMatchObject(expected);
    expect(places).toEqual(said);
  });

  test("takes the method as it is so far, and the end of it where there was none yet", () => {
    const later = (before: string, after: string) => {
      const lines = `protocol TCP\nlb_algo rr\n${before}\nsorry_server 127.0.0.1 80\n${after}\n${real}`;
      return parse(`virtual_server 10.0.0.1 80 {\n${lines}\n}`).config?.virtualServers[0]?.sorryServer?.forwarding;
    };
    expect(later("lb_kind DR", "lb_kind NAT")).toEqual({ method: "direct-route" });
    expect(later("", "lb_kind DR")).toEqual({ method: "direct-route" });
    expect(later("", "")).toEqual({ method: "masquerade" });
  });
});
