// The files that users' tools read: what exporters find in them, by their rules, and keepalived's keys one by one.
import type { Counter, InstanceState, NodeStatus } from "@baton/contracts";
import { type Config, dumpedAddress } from "@baton/keepalived-conf";
import { configOf, readDump } from "@baton/keepalived-conf/testing";
import { metric, prometheusName } from "@baton/telemetry";
import { describe, expect, test } from "vitest";
import { readData, readStats } from "../testing/exporter-rules.ts";
import { instanceState, nodeStatus } from "../testing/node-status.ts";
import { dataText } from "./data-text.ts";
import { type DumpFacts, stateName, stateNumbers } from "./dump-facts.ts";
import { jsonText } from "./json-text.ts";
import { StatisticsBook, statisticNames, sumStatistics } from "./statistics.ts";
import { statsText } from "./stats-text.ts";

const text = `
vrrp_script chk {
  script "/usr/bin/true 'it is'"
  interval 2
  rise 2
}
vrrp_track_file level {
  file /run/level
}
vrrp_track_process sleeper {
  process sleep 60
}
vrrp_sync_group G {
  group {
    VI_1
    VI_2
  }
  track_script {
    chk weight 7
  }
  sync_group_tracking_weight
}
vrrp_instance VI_1 {
  state MASTER
  interface eth0
  virtual_router_id 51
  priority 100
  version 3
  advert_int 0.5
  track_file {
    level weight 1
  }
  track_process {
    sleeper weight 3
  }
  notify_master /usr/bin/m
  virtual_ipaddress {
    192.0.2.1/24 dev eth0 label eth0:1
    192.0.2.2
  }
  virtual_ipaddress_excluded {
    2001:db8::5/64
  }
}
vrrp_instance VI_2 {
  interface eth0
  virtual_router_id 52
  version 2
  authentication {
    auth_type PASS
    auth_pass geheim
  }
  virtual_ipaddress {
    192.0.2.3
  }
}
`;

const counter = (of: (typeof metric)[keyof typeof metric], labels: Record<string, string>, value: number): Counter => ({
  name: prometheusName(of),
  labels,
  value,
});

const VI_1 = { instance: "VI_1" };
const counters: readonly Counter[] = [
  counter(metric.adverts, { ...VI_1, direction: "sent" }, 40),
  counter(metric.adverts, { ...VI_1, direction: "received" }, 7),
  counter(metric.priorityZero, { ...VI_1, direction: "received" }, 2),
  counter(metric.priorityZero, { ...VI_1, direction: "sent" }, 1),
  counter(metric.transitions, { ...VI_1, from: "backup", to: "master" }, 3),
  counter(metric.transitions, { ...VI_1, from: "initialize", to: "listening" }, 1),
  counter(metric.transitions, { ...VI_1, from: "listening", to: "master" }, 1),
  counter(metric.transitions, { ...VI_1, from: "master", to: "leaving" }, 2),
  counter(metric.advertsDiscarded, { ...VI_1, reason: "bad-ttl" }, 5),
  counter(metric.advertsDiscarded, { ...VI_1, reason: "peer-ttl" }, 4),
  counter(metric.advertsDiscarded, { ...VI_1, reason: "auth-failure" }, 6),
  counter(metric.advertsDiscarded, { ...VI_1, reason: "bad-checksum" }, 9),
  counter(metric.advertsDiscarded, { ...VI_1, reason: "of a later version" }, 9),
  counter(metric.advertsDiscarded, { instance: "", reason: "unknown-vrid" }, 9),
  counter(metric.advertNotices, { ...VI_1, notice: "address-list-mismatch" }, 8),
  counter(metric.advertNotices, { ...VI_1, notice: "old-checksum" }, 9),
];

const tracker = (kind: string, name: string, more: Partial<NodeStatus["trackers"][number]>) => ({
  ...{ name, kind, status: "up", result: 0, checkedAt: 0, lastExit: "", lastEventId: "", correlationId: "" },
  ...{ traceparent: "", runs: 1, skipped: 0, timeouts: 0, value: 0, ...more },
});

const master: Partial<InstanceState> = { name: "VI_1", state: "master", effectivePriority: 107, since: 1_500_000 };
const status = nodeStatus({
  instances: [
    instanceState(master),
    instanceState({ name: "VI_2", master: "10.0.0.2", masterPriority: 150, masterAdvertMicros: 1_000_000 }),
  ],
  trackers: [
    tracker("script", "chk", { result: 3 }),
    tracker("file", "level", { value: 4 }),
    tracker("process", "sleeper", { value: 2 }),
  ],
  addresses: [
    {
      ...{ instance: "VI_1", term: 1, lease: "held", routing: [] },
      addresses: [{ address: "192.0.2.1/24", interface: "eth0", label: "eth0:1", present: true, error: "" }],
    },
  ],
});

const factsOf = (config: Config, more: Partial<DumpFacts> = {}): DumpFacts => ({
  config,
  status,
  statistics: new StatisticsBook().since(counters),
  now: { boot: 2_000_000, wall: 1_700_000_000_000_000 },
  ...more,
});
const facts = factsOf(configOf(text));
const withVersion = (version: number): Config => configOf(`global_defs {\n  json_version ${version}\n}\n${text}`);

test("what was counted becomes keepalived's statistics, each where keepalived counts it", () => {
  const counted = Object.entries(sumStatistics(counters).get("VI_1") ?? {}).filter(([, value]) => value !== 0);
  expect(Object.fromEntries(counted)).toEqual({
    // Those outside a peer's TTL range have been counted as received by then.
    ...{ advert_rcvd: 11, advert_sent: 40, pri_zero_rcvd: 2, pri_zero_sent: 1 },
    ...{ become_master: 4, release_master: 2, ip_ttl_err: 9, auth_failure: 6, addr_list_err: 8 },
  });
  expect([...sumStatistics(counters).keys()]).toEqual(["VI_1"]);
});

test("cleared statistics begin anew; an election that was started again is believed", () => {
  const book = new StatisticsBook();
  expect(book.since(counters)("VI_1").advert_sent).toBe(40);
  book.clear(counters);
  expect(book.since(counters)("VI_1")).toEqual(Object.fromEntries(statisticNames.map((name) => [name, 0])));
  const later = [...counters, counter(metric.adverts, { ...VI_1, direction: "sent" }, 2)];
  expect(book.since(later)("VI_1").advert_sent).toBe(2);
  const restarted = [counter(metric.adverts, { ...VI_1, direction: "sent" }, 5)];
  expect(book.since(restarted)("VI_1").advert_sent).toBe(5);
});

test("keepalived.stats: an exporter finds each of its numbers", () => {
  const read = readStats(statsText(facts));
  expect([...read.keys()]).toEqual(["VI_1", "VI_2"]);
  expect(Object.fromEntries(read.get("VI_1") ?? [])).toMatchObject({
    ...{ "Advertisements/Received": 11, "Advertisements/Sent": 40, "Became master": 4, "Released master": 2 },
    ...{ "Packet Errors/Length": 0, "Packet Errors/TTL": 9, "Packet Errors/Invalid Type": 0 },
    ...{ "Packet Errors/Advertisement Interval": 0, "Packet Errors/Address List": 8 },
    ...{ "Authentication Errors/Invalid Type": 0, "Authentication Errors/Type Mismatch": 0 },
    ...{ "Authentication Errors/Failure": 6, "Priority Zero/Received": 2, "Priority Zero/Sent": 1 },
  });
  expect(read.get("VI_1")?.size).toBe(statisticNames.length);
  expect(read.get("VI_2")?.get("Advertisements/Sent")).toBe(0);
});

describe("keepalived.data", () => {
  const dumped = dataText(facts);

  test("an exporter finds state, interface, VRID, delay and addresses of each instance", () => {
    const instances = readData(dumped, "VRRP Instance");
    expect([...instances.keys()]).toEqual(["VI_1", "VI_2"]);
    const first = instances.get("VI_1");
    expect(Object.fromEntries(first?.values ?? [])).toMatchObject({
      ...{ State: "MASTER", Wantstate: "MASTER", Interface: "eth0", "Virtual Router ID": "51" },
      ...{ "Gratuitous ARP delay": "5", "Effective priority": "107", Priority: "100", "Sync group": "G" },
    });
    expect(first?.lists.get("Virtual IP")).toEqual([
      "192.0.2.1/24 dev eth0 scope global label eth0:1 set",
      "192.0.2.2 dev eth0 scope global",
    ]);
    expect(first?.lists.get("Virtual IP Excluded")).toEqual([
      "2001:db8::5/64 dev eth0 scope global preferred_lft forever",
    ]);
    expect(Object.fromEntries(instances.get("VI_2")?.values ?? [])).toMatchObject({
      ...{ State: "BACKUP", "Master router": "10.0.0.2", "Master priority": "150" },
    });
  });

  test("and the standing of scripts, files and processes", () => {
    const script = readData(dumped, "VRRP Script").get("chk");
    expect(Object.fromEntries(script?.values ?? [])).toMatchObject({
      ...{ Status: "GOOD", State: "idle", Result: "3", Interval: "2 sec" },
      Command: "'/usr/bin/true' 'it is'",
    });
    expect(script?.lists.get("VRRP instances")).toEqual(["VI_1, weight 7", "VI_2, weight 7"]);
    expect(readData(dumped, "Track file").get("level")?.values.get("Status")).toBe("4");
    expect(Object.fromEntries(readData(dumped, "VRRP Track process").get("sleeper")?.values ?? [])).toMatchObject({
      ...{ "Current processes": "2", "Have quorum": "true", "Min processes": "1" },
    });
  });

  test("the reader of keepalived's own dumps takes it as one", () => {
    const { instances, groups, scripts, isWhole } = readDump(dumped);
    expect([instances, groups, scripts].map((list) => list.map(({ name }) => name.split(",")[0]))).toEqual([
      ["VI_1", "VI_2"],
      ["G"],
      ["chk"],
    ]);
    expect(isWhole).toBe(true);
    expect(instances[0]?.facts.get("Last transition")).toMatch(
      /^1699999999\.500000 \(\w{3} \w{3} [ \d]\d [\d:.]{15} 2023\)$/,
    );
  });

  test("no password is in it, nor in the JSON", () => {
    expect(dumped).toContain("Password = ********");
    expect(`${dumped}${jsonText(facts)}`).not.toContain("geheim");
  });
});

// Each key as keepalived 2.4 writes it, in its order.
const dataKeys = [
  ...["iname", "dont_track_primary", "skip_check_adv_addr", "strict_mode", "vmac_ifname", "ifp_ifname"],
  ...["master_priority", "last_transition", "garp_delay", "garp_refresh", "garp_rep", "garp_refresh_rep"],
  ...["garp_lower_prio_delay", "garp_lower_prio_rep", "lower_prio_no_advert", "higher_prio_send_advert", "vrid"],
  ...["base_priority", "effective_priority", "vipset", "promote_secondaries", "adver_int", "master_adver_int"],
  ...["accept", "nopreempt", "preempt_delay", "state", "wantstate", "version", "smtp_alert", "notify_deleted"],
];

interface Dumped {
  readonly data: Readonly<Record<string, unknown>>;
  readonly stats: Readonly<Record<string, unknown>>;
}

describe("keepalived.json", () => {
  test("version 1 is a list of instances with keepalived's keys", () => {
    const [first, second] = JSON.parse(jsonText(factsOf(withVersion(1))) ?? "") as Dumped[];
    expect(Object.keys(first?.data ?? {})).toEqual([
      ...dataKeys,
      ...["script_master", "vips", "evips", "track_process", "auth_type"],
    ]);
    expect(Object.keys(first?.stats ?? {})).toEqual(statisticNames);
    expect(first?.data).toMatchObject({
      ...{ iname: "VI_1", ifp_ifname: "eth0", vrid: 51, state: 2, wantstate: 2, last_transition: 1_699_999_999.5 },
      ...{ adver_int: 0.5, nopreempt: false, vipset: true, garp_delay: 5, auth_type: 0, script_master: "'/usr/bin/m'" },
    });
    expect(second?.data).toMatchObject({ state: 1, auth_type: 1, auth_data: "********", master_adver_int: 1 });
  });

  test("version 2 is an object, with the processes that are tracked", () => {
    const dump = JSON.parse(jsonText(factsOf(withVersion(2))) ?? "") as { vrrp: Dumped[]; track_process: unknown[] };
    expect(Object.keys(dump)).toEqual(["vrrp", "track_process"]);
    expect(dump.vrrp.map(({ data }) => data.iname)).toEqual(["VI_1", "VI_2"]);
    expect(dump.track_process).toMatchObject([
      { process: "sleeper", min_processes: 1, current_processes: 2, have_quorum: true, param_match: "exact" },
    ]);
  });

  test("without instances there is none", () => {
    expect(jsonText(factsOf(configOf("global_defs {\n  router_id x\n}\n")))).toBeUndefined();
  });

  test("an instance that the election has not told of yet is in its initial state", () => {
    const early = factsOf(withVersion(1), { status: nodeStatus({}) });
    const dump = JSON.parse(jsonText(early) ?? "") as Dumped[];
    expect(dump.map(({ data }) => [data.state, data.wantstate, data.vipset])).toEqual([
      [0, 2, false],
      [0, 1, false],
    ]);
  });
});

test("every state of ours is one of the four that tools know", () => {
  const states = ["initialize", "backup", "master", "fault", "listening", "leaving", "stopped", undefined];
  expect(states.map((state) => stateNumbers[stateName(state)])).toEqual([0, 1, 2, 3, 1, 1, 0, 0]);
});

test("an address of a virtual MAC stands on its own interface", () => {
  const config = configOf(`vrrp_instance V {
    interface eth0
    virtual_router_id 9
    use_vmac
    virtual_ipaddress {
      192.0.2.9
    }
  }`);
  const dump = JSON.parse(jsonText(factsOf(config)) ?? "") as Dumped[];
  expect(dump[0]?.data).toMatchObject({ vmac_ifname: "vrrp.9", ifp_ifname: "vrrp.9" });
  const [address] = config.instances[0]?.addresses ?? [];
  if (address === undefined) throw new Error("no address");
  expect(dump[0]?.data.vips).toEqual([dumpedAddress({ ...address, interface: "vrrp.9@eth0" })]);
});
