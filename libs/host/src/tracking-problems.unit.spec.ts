import { virtualServerName } from "@baton/keepalived-conf";
import { config, instanceConfig, virtualServer } from "@baton/keepalived-conf/testing";
import { expect, test } from "vitest";
import type { TrackedVirtualServer } from "./settings.ts";
import { trackingProblems } from "./tracking-problems.ts";

const server = virtualServer();
const name = virtualServerName(server);
const routers = config({ instances: [instanceConfig({ name: "VI_1" })], virtualServers: [server] });
const tracked = (more: Partial<TrackedVirtualServer> = {}): TrackedVirtualServer => ({
  name,
  weight: -50,
  instances: undefined,
  holdSeconds: undefined,
  ...more,
});
const told = (entries: readonly TrackedVirtualServer[], of = routers) =>
  trackingProblems(of, { trackVirtualServers: entries }, "baton.yaml").map(({ code, message, hint }) =>
    [code, message, ...(hint === undefined ? [] : [hint])].join(" | "),
  );

test("what is there can be tracked, by all or by some", () => {
  expect(told([tracked()])).toEqual([]);
  expect(told([tracked({ instances: ["VI_1"] })])).toEqual([]);
  expect(trackingProblems(routers, {}, "")).toEqual([]);
});

test("names with a slip in them", () => {
  expect(told([tracked({ name: "web", instances: ["VI_1", "VI_2"] })])).toEqual([
    `unknown-virtual-server | track_virtual_servers: there is no virtual server web | there is ${name}`,
    "unknown-instance | track_virtual_servers: there is no vrrp_instance VI_2",
  ]);
  expect(told([tracked()], config({ instances: [instanceConfig()] }))).toEqual([
    `unknown-virtual-server | track_virtual_servers: there is no virtual server ${name} | there is none`,
  ]);
});

test("twice, and with checks that a backup does not run", () => {
  expect(told([tracked(), tracked({ instances: ["VI_1"] })])).toEqual([
    `tracked-twice | track_virtual_servers: vrrp_instance VI_1 tracks virtual server ${name} twice`,
  ]);
  expect(told([tracked()], { ...routers, virtualServers: [virtualServer({ haSuspend: true })] })).toMatchObject([
    expect.stringMatching(/^tracked-ha-suspend .*take ha_suspend out/),
  ]);
});
