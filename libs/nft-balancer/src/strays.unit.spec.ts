// Whose flows a change leaves behind is read from the names of chains, so that the next process finds it, too.
import { type Destination, type ServiceKey, serviceName, type WantedService } from "@baton/ipvs";
import { aDestination, addressKey, aService, ip, markKey, withDestinations } from "@baton/ipvs/testing";
import { describe, expect, test } from "vitest";
import { planBalancer } from "./plan.ts";
import { type StrayFlows, servicesByAddress, straysBetween } from "./strays.ts";
import { type BalancerState, nothing } from "./table-state.ts";

const change = (state: BalancerState, services: readonly WantedService[], unknown: readonly string[] = []) =>
  planBalancer({
    wanted: new Map(services.map((service) => [serviceName(service.key), service])),
    unknown: new Set(unknown),
    state,
    options: { masquerade: "never", connected: [] },
  }).after;

const dnsKey = addressKey("192.0.2.1", "udp", 53);
const sixKey = addressKey("2001:db8::1", "udp", 0);
const [a, b] = [aDestination("10.0.0.1", { port: 5353 }), aDestination("10.0.0.2", { port: 5353 })];
const six = aDestination("fd00::1", { port: 0 });
const of = (key: ServiceKey, ...destinations: Destination[]): WantedService =>
  withDestinations(aService(key), ...destinations);
const end = (address: string, port: number) => ({ address: ip(address), port });

const left = (before: readonly WantedService[], after: readonly WantedService[], unknown?: readonly string[]) => {
  const state = change(nothing, before);
  return [...straysBetween(state, change(state, after, unknown)).values()];
};
const dns: StrayFlows = { asked: end("192.0.2.1", 53), server: end("10.0.0.2", 5353) };

describe("stray flows", () => {
  const rows: readonly [string, readonly StrayFlows[], readonly WantedService[], readonly WantedService[]][] = [
    ["of a server that has gone", [dns], [of(dnsKey, a, b)], [of(dnsKey, a)]],
    ["of a service that has gone", [dns], [of(dnsKey, b), of(sixKey, six)], [of(sixKey, six)]],
    ["of a server that gets no more connections: none", [], [of(dnsKey, a, b)], [of(dnsKey, a, { ...b, weight: 0 })]],
    ["of one that got none, when it goes", [dns], [of(dnsKey, a, { ...b, weight: 0 })], [of(dnsKey, a)]],
    ["of one that comes, or weighs another: none", [], [of(dnsKey, a)], [of(dnsKey, { ...a, weight: 7 }, b)]],
    [
      "of IPv6, and any port",
      [{ asked: end("2001:db8::1", 0), server: end("fd00::1", 0) }],
      [of(sixKey, six)],
      [of(sixKey)],
    ],
    ["of a mark", [{ asked: undefined, server: end("10.0.0.2", 5353) }], [of(markKey(7), a, b)], [of(markKey(7), a)]],
    ["of TCP: none", [], [of(addressKey("192.0.2.1"), a, b)], [of(addressKey("192.0.2.1"), a)]],
    ["of a new service those that nobody has led", [{ asked: dns.asked, server: undefined }], [], [of(dnsKey, a)]],
    ["of a new mark: nobody knows", [], [], [of(markKey(7), a)]],
  ];
  test.each(rows)("%s", (_, expected, before, after) => {
    expect(left(before, after)).toEqual(expected);
  });

  test("of a service of which nobody knows anything yet: none", () => {
    expect(left([of(dnsKey, a, b)], [], [serviceName(dnsKey)])).toEqual([]);
  });

  test("of an earlier change stay until they are forgotten, unless their server is back or their service has gone", () => {
    const both = change(nothing, [of(dnsKey, a, b)]);
    const one = change(both, [of(dnsKey, a)]);
    const known = new Map([...straysBetween(nothing, both), ...straysBetween(both, one)]);
    expect([...known.values()]).toEqual([{ asked: dns.asked, server: undefined }, dns]);
    expect(new Set(straysBetween(one, one, known).values())).toEqual(new Set(known.values()));
    expect([...straysBetween(one, both, known).values()]).toEqual([{ asked: dns.asked, server: undefined }]);
    expect([...straysBetween(one, change(one, []), known).values()]).toEqual([
      { ...dns, server: end("10.0.0.1", 5353) },
      dns,
    ]);
  });

  test("those of services by address are told from a mark's, and from those that are right", () => {
    const weightless = { ...b, weight: 0 };
    const all = [of(dnsKey, a, weightless), of(sixKey, six), of(markKey(7), a), of(addressKey("192.0.2.1"), a)];
    const found = servicesByAddress(change(nothing, all));
    expect(found.map(({ asked }) => asked)).toEqual([dns.asked, end("2001:db8::1", 0)]);
    expect(found.map(({ servers }) => new Set(servers))).toEqual([
      new Set([end("10.0.0.1", 5353), dns.server]),
      new Set([end("fd00::1", 0)]),
    ]);
  });
});
