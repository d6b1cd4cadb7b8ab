import { realServer, virtualServer } from "@baton/keepalived-conf/testing";
import { expect, test } from "vitest";
import { poolServerName, poolServers } from "./mod.ts";
import { ip } from "./testing/mod.ts";

const directRoute = { method: "direct-route" } as const;
const masquerade = { method: "masquerade" } as const;
const noLimit = { upperThreshold: 0, lowerThreshold: 0 };
const service = virtualServer({
  realServers: [
    realServer({ address: ip("192.0.2.11"), port: 80, forwarding: masquerade, upperThreshold: 9, lowerThreshold: 3 }),
    realServer({ address: ip("2001:db8::11"), port: 81, forwarding: directRoute, ...noLimit }),
  ],
  sorryServer: { address: ip("192.0.2.99"), port: 8080, forwarding: directRoute, inhibit: false },
});

test("each server is as it is configured, with the weight that its pool gives it", () => {
  const weights = [
    { server: "[2001:db8::11]:81", role: "real", weight: 0 },
    { server: "192.0.2.11:80", role: "real", weight: 5 },
    { server: "192.0.2.99:8080", role: "sorry", weight: 1 },
  ] as const;
  expect(poolServers(service, weights)).toEqual([
    {
      address: "2001:db8::11",
      port: 81,
      forwarding: directRoute,
      weight: 0,
      ...noLimit,
    },
    { address: "192.0.2.11", port: 80, forwarding: masquerade, weight: 5, upperThreshold: 9, lowerThreshold: 3 },
    { address: "192.0.2.99", port: 8080, forwarding: directRoute, weight: 1, ...noLimit },
  ]);
});

test("names are those of pools", () => {
  expect(service.realServers.map(poolServerName)).toEqual(["192.0.2.11:80", "[2001:db8::11]:81"]);
});

test("whoever is not configured, or not in that role, is left out", () => {
  const weights = [
    { server: "192.0.2.11:80", role: "sorry", weight: 1 },
    { server: "192.0.2.99:8080", role: "real", weight: 1 },
    { server: "192.0.2.12:80", role: "real", weight: 1 },
  ] as const;
  expect(poolServers(service, weights)).toEqual([]);
  expect(poolServers({ ...service, sorryServer: undefined }, weights)).toEqual([]);
});
