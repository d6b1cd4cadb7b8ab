import { describe, expect, test } from "vitest";
import { codes, instance, parse } from "../testing/parse.ts";

const resolve = (lines: string) => {
  const result = parse(`global_defs {\n${lines}\n}`);
  return { global: result.config?.global, said: codes(result).map((code) => code.replace(/ .*/, "")) };
};

test("an empty file", () => {
  const { config, diagnostics } = parse("");
  expect(config).toEqual({
    global: {
      routerId: "r1.example.net",
      notificationEmail: [],
      notificationEmailFrom: undefined,
      smtpServer: undefined,
      smtpHeloName: undefined,
      smtpConnectTimeout: 30_000_000,
      enableScriptSecurity: false,
      scriptUser: undefined,
    },
    scripts: [],
    instances: [],
    syncGroups: [],
    virtualServers: [],
    staticAddresses: [],
    staticRoutes: [],
    staticRules: [],
    trackGroups: [],
    interfaceDelays: [],
    garpGroups: [],
    polledInterfaces: [],
  });
  expect(diagnostics.map(({ code, line }) => [code, line])).toEqual([["nothing-configured", 0]]);
});

test.each<[string, object, string[]]>([
  ["router_id r1", { routerId: "r1" }, []],
  ['router_id "r 1"', { routerId: "r 1" }, []],
  ["notification_email_from a@b", { notificationEmailFrom: "a@b" }, []],
  ["smtp_server 192.0.2.1", { smtpServer: { host: "192.0.2.1", port: 25 } }, []],
  ["smtp_server mail.example.net 587", { smtpServer: { host: "mail.example.net", port: 587 } }, []],
  ["smtp_server <mail>", { smtpServer: undefined }, ["invalid-value"]],
  ["smtp_helo_name x", { smtpHeloName: "x" }, []],
  ["smtp_connect_timeout 3", { smtpConnectTimeout: 3_000_000 }, []],
  ["smtp_connect_timeout 0", { smtpConnectTimeout: 1_000_000 }, ["invalid-number"]],
  ["smtp_connect_timeout 5s", { smtpConnectTimeout: 5_000_000 }, ["invalid-number"]],
  ['notification_email {\na@b c@d\n"E <e@f>"\n}\nsmtp_server x', { notificationEmail: ["a@b", "c@d", "E <e@f>"] }, []],
  ["notification_email {\na@b\n}", { notificationEmail: ["a@b"] }, ["no-smtp-server"]],
  ["notification_email {\n}", { notificationEmail: [] }, ["empty-block"]],
  [
    "enable_script_security\nscript_user a b",
    { enableScriptSecurity: true, scriptUser: { user: "a", group: "b" } },
    [],
  ],
])("%j", (lines, expected, said) => {
  const result = resolve(lines);
  expect(result.global).toMatchObject(expected);
  expect(result.said).toEqual(said);
});

describe("sync groups", () => {
  const group = (members: string, name = "G") => `vrrp_sync_group ${name} {\ngroup {\n${members}\n}\n}\n`;
  const two = instance("", "A", 1) + instance("", "B", 2, "10.0.0.2");
  const said = (text: string) => {
    const result = parse(text);
    return [
      result.config?.syncGroups,
      codes(result)
        .map((code) => code.replace(/ .*/, ""))
        .filter((code) => code !== "accepted"),
    ];
  };

  test("before or after their members, on one line or several", () => {
    const expected = [[{ name: "G", members: ["A", "B"] }], []];
    expect(said(group("A\nB") + two)).toEqual(expected);
    expect(said(two + group("A B"))).toEqual(expected);
    expect(codes(parse(group("A B") + two))).toContain("accepted 1:1");
  });

  test.each([
    ["A X", [{ name: "G", members: ["A"] }], ["lonely-group", "member-unknown"]],
    ["", [], ["empty-group"]],
    ["A B\nA", [{ name: "G", members: ["A", "B"] }], ["member-taken"]],
  ])("%j", (members, groups, problems) => expect(said(group(members) + two)).toEqual([groups, problems]));

  test("an instance is in one group only", () => {
    expect(said(group("A B") + group("B A", "H") + two)).toEqual([
      [{ name: "G", members: ["A", "B"] }],
      ["empty-group", "member-taken", "member-taken"],
    ]);
  });
});
