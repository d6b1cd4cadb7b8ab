import { describe, expect, test } from "vitest";
import type { FileKind } from "../machine.ts";
import type { ParseInput } from "../parse-config.ts";
import { codes, instance, parse } from "../testing/parse.ts";

const resolve = (lines: string, input: Partial<ParseInput> = {}) => {
  const result = parse(`global_defs {\n${lines}\n}`, input);
  return { global: result.config?.global, said: codes(result).map((code) => code.replace(/ .*/, "")) };
};

test("an empty file: what counts when nothing is said", () => {
  const { config, diagnostics } = parse("");
  const process = {
    name: undefined,
    niceness: 0,
    noSwap: false,
    realtimePriority: undefined,
    cpus: undefined,
    realtimeTimeout: 10_000,
  };
  const buffer = { octets: undefined, force: false };
  expect(config).toEqual({
    global: {
      routerId: "r1.example.net",
      notificationEmail: [],
      notificationEmailFrom: undefined,
      smtpServer: undefined,
      smtpHeloName: undefined,
      smtpConnectTimeout: 30_000_000,
      noEmailFaults: false,
      noCheckerEmails: false,
      enableScriptSecurity: false,
      scriptUser: undefined,
      useSymlinkPaths: false,
      startupScript: undefined,
      shutdownScript: undefined,
      fifos: { all: undefined, vrrp: undefined, lvs: undefined, statesOnReload: false },
      vrrp: {
        dynamicInterfaces: "no",
        startupDelay: 0,
        delayAfterBoot: 0,
        logUnknownVrids: false,
        garpInterval: 0,
        gnaInterval: 0,
        disableLocalIgmp: false,
        vmacPrefix: "vrrp",
        vmacAddressPrefix: "vrrp",
        pollLinks: false,
        receiveBuffers: undefined,
      },
      lvs: {
        timeouts: { tcp: undefined, tcpFin: undefined, udp: undefined },
        flushOnStart: false,
        flushOnStop: "no",
        syncDaemon: undefined,
        nftables: undefined,
        initNotifies: false,
      },
      firewall: { iptables: undefined, nftables: undefined },
      snmp: {
        socket: undefined,
        traps: false,
        vrrp: false,
        rfcV2: false,
        rfcV3: false,
        checker: false,
        virtualServerInterval: 5_000_000,
        realServerInterval: 5_000_000,
      },
      dbus: undefined,
      processes: {
        name: undefined,
        vrrp: process,
        checker: process,
        bfd: process,
        maxAutoPriority: 0,
        minAutoPriorityDelay: 1_000_000,
        buffers: {
          vrrpCommands: buffer,
          vrrpMonitor: buffer,
          lvsCommands: buffer,
          lvsMonitor: buffer,
          processMonitor: buffer,
        },
      },
      node: {
        instance: undefined,
        netNamespace: undefined,
        netNamespaceIpvs: undefined,
        namespaceWithIpsets: false,
        usePidDirectory: false,
        childWaitTimeout: 5_000_000,
      },
      reload: { checkLog: undefined, timeFile: undefined, repeat: false, file: undefined },
      files: {
        umask: 0o177,
        configurations: undefined,
        temporary: undefined,
        useInstance: false,
        state: undefined,
        statistics: undefined,
        json: undefined,
        jsonVersion: 1,
        iprouteUsr: undefined,
        iprouteEtc: undefined,
      },
    },
    scripts: [],
    trackFiles: [],
    trackProcesses: [],
    bfdInstances: [],
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
    virtualServerGroups: [],
    tls: undefined,
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
    { enableScriptSecurity: true, scriptUser: { user: "a", group: "b", supplementaryGroups: false } },
    [],
  ],
])("%j", (lines, expected, said) => {
  const result = resolve(lines);
  expect(result.global).toMatchObject(expected);
  expect(result.said).toEqual(said);
});

describe("what this machine has", () => {
  const affinity = (lines: string, processors?: number) => {
    const { global, said } = resolve(lines, { processors });
    return [global?.processes.vrrp.cpus, said.filter((code) => code !== "accepted")];
  };

  test("a line that names a processor which is not there does not count", () => {
    expect(affinity("vrrp_cpu_affinity 1 0", 2)).toEqual([[0, 1], []]);
    expect(affinity("vrrp_cpu_affinity 0\nvrrp_cpu_affinity 2", 2)).toEqual([[0], ["invalid-number"]]);
    expect(affinity("vrrp_cpu_affinity 1023")).toEqual([[1023], []]);
  });

  test.each<[string, string | undefined, string[]]>([
    ["/d", "/d", []],
    ["/d/new", "/d/new", []],
    ["/d/new/", "/d/new/", []],
    ["new", "new", []],
    ["/d/file", undefined, ["no-directory"]],
    ["/none/new", undefined, ["no-directory"]],
    ['""', undefined, ["no-directory"]],
  ])("config_save_dir %s is there, or can be made", (path, expected, said) => {
    const kinds = new Map<string, FileKind>([
      ["/d", "directory"],
      ["/d/", "directory"],
      [".", "directory"],
      ["/d/file", "file"],
    ]);
    const result = resolve(`config_save_dir ${path}`, { fileKind: (name) => kinds.get(name) });
    expect(result.global?.files.configurations).toBe(expected);
    expect(result.said.filter((code) => code !== "accepted")).toEqual(said);
  });
});

test("instances take what global_defs says below them, too", () => {
  const globals =
    "global_defs {\nvrrp_garp_master_delay 77\nvrrp_garp_master_repeat 9\nvrrp_garp_master_refresh 60\n" +
    "vrrp_garp_master_refresh_repeat 3\nvrrp_down_timer_adverts 4\nv3_checksum_as_v2\nvrrp_skip_check_adv_addr\n}\n";
  const [above] = parse(globals + instance()).config?.instances ?? [];
  const [below] = parse(instance() + globals).config?.instances ?? [];
  expect(above).toMatchObject({
    garp: { delay: 77_000_000, repeat: 9, refresh: 60_000_000, refreshRepeat: 3 },
    downTimerAdverts: 4,
    v3ChecksumAsV2: true,
    skipCheckAddresses: true,
  });
  expect(below).toEqual(above);
});
