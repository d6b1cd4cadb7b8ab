import { type Config, parseConfig } from "@baton/keepalived-conf";
import { expect, test } from "vitest";
import { withImpliedTrackers } from "./implied-trackers.ts";

function read(text: string): Config {
  const { config } = parseConfig({ file: "k", hostName: "r1", readFile: () => ({ text }) });
  if (config === undefined) throw new Error("no configuration");
  return config;
}

const tracked = (text: string): string[] =>
  withImpliedTrackers(read(text)).instances.flatMap(({ name, trackInterfaces }) =>
    trackInterfaces.map((ref) => `${name} ${ref.name} ${ref.weight}`),
  );

const instance = (lines: string): string => `vrrp_instance VI_1 {\ninterface eth0\nvirtual_router_id 1\n${lines}\n}\n`;

test("what an address, a route or a rule stands on, unless it is the own interface or no_track", () => {
  const lines = `virtual_ipaddress {
10.0.0.1
10.0.0.2 dev eth1
10.0.0.3 dev eth2 no_track
}
virtual_routes {
10.1.0.0/16 dev eth3
10.2.0.0/16 dev eth4 no_track
10.3.0.0/16 via 10.0.0.9
}
virtual_rules {
iif eth5 table 7 priority 1
iif eth6 table 7 priority 2 no_track
}`;
  expect(tracked(instance(lines))).toEqual(["VI_1 eth1 0", "VI_1 eth3 0", "VI_1 eth5 0"]);
});

test("what the instance names itself counts as it says", () => {
  const lines = "virtual_ipaddress {\n10.0.0.2 dev eth1\n}\ntrack_interface {\neth1 weight -20\n}";
  expect(tracked(instance(lines))).toEqual(["VI_1 eth1 -20"]);
});

test("static objects count for the members of their track_group", () => {
  const text = `track_group TG {
group {
VI_1
}
}
static_ipaddress {
10.9.0.1 dev eth1 track_group TG
10.9.0.2 dev eth2
}
static_routes {
10.8.0.0/16 dev eth3 track_group TG
}
static_rules {
iif eth4 table 7 priority 1 track_group TG
}
${instance("virtual_ipaddress {\n10.0.0.1\n}")}vrrp_instance VI_2 {
interface eth0
virtual_router_id 2
virtual_ipaddress {
10.0.0.5
}
}
`;
  expect(tracked(text)).toEqual(["VI_1 eth1 0", "VI_1 eth3 0", "VI_1 eth4 0"]);
});
