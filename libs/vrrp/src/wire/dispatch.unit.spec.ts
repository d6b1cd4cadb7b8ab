// Which of several instances on one interface a packet is for.
import { expect, test } from "vitest";
import { findInstance, type Listener } from "./dispatch.ts";
import { ip, packetOf, unicast, wireOf } from "./testing/fixtures.ts";
import { type Forgery, forge } from "./testing/forge.ts";
import type { WireConfig } from "./wire.ts";

type Named = Listener & { readonly name: string };

const listener = (name: string, change: Partial<WireConfig>, address?: string): Named => ({
  name,
  wire: wireOf(change),
  address: address === undefined ? undefined : ip(address),
});

const listeners: readonly Named[] = [
  listener("51", { vrid: 51 }),
  listener("51 over IPv6", { vrid: 51, family: 6 }),
  listener("51 in another group", { vrid: 51, reach: { cast: "multicast", group: ip("224.0.0.77") } }),
  listener("60", { vrid: 60, reach: unicast(["10.77.0.11"]) }, "10.77.0.12"),
  listener("70 a", { vrid: 70, reach: unicast(["10.77.0.11", "10.77.0.21"]) }, "10.77.0.12"),
  listener("70 b", { vrid: 70, reach: unicast(["10.77.0.31"]) }, "10.77.0.12"),
  listener("70 c", { vrid: 70, reach: unicast(["10.77.0.11"]) }, "10.77.0.13"),
  listener("80", { vrid: 80, family: 6, reach: unicast(["2001:db8::11"]) }, "2001:db8::12"),
  listener("90, without an address yet", { vrid: 90, reach: unicast(["10.77.0.11"]) }),
];

function meant(change: Partial<Forgery>): string {
  const found = findInstance(packetOf(forge(change)), listeners);
  return found.ok ? found.instance.name : found.reason;
}

const [group, to, from, over6] = [ip("224.0.0.77"), ip("10.77.0.12"), ip("10.77.0.31"), ip("2001:db8::12")];

test.each([
  [{ vrid: 51 }, "51"],
  [{ vrid: 51, destination: group }, "51 in another group"],
  [{ vrid: 51, family: 6 }, "51 over IPv6"],
  [{ vrid: 52 }, "unknown-vrid"],
  [{ vrid: 0 }, "unknown-vrid"],
  [{ vrid: 60, destination: to }, "60"],
  // Its own checks tell that this is no peer.
  [{ vrid: 60, destination: to, source: ip("192.0.2.1") }, "60"],
  [{ vrid: 60, destination: ip("10.77.0.100") }, "unknown-vrid"],
  [{ vrid: 70, destination: to }, "70 a"],
  [{ vrid: 70, destination: to, source: from }, "70 b"],
  [{ vrid: 70, destination: ip("10.77.0.13") }, "70 c"],
  [{ vrid: 70, destination: to, source: ip("192.0.2.1") }, "unknown-vrid"],
  [{ vrid: 80, family: 6, source: ip("2001:db8::11"), destination: over6 }, "80"],
  [{ vrid: 90, destination: to }, "unknown-vrid"],
  // Of the other kind: the instance counts it over IPv4, and over IPv6 nobody does.
  [{ vrid: 60 }, "60"],
  [{ vrid: 51, destination: to }, "51"],
  [{ vrid: 80, family: 6 }, "wrong-cast"],
  [{ vrid: 51, family: 6, destination: over6 }, "wrong-cast"],
] as const satisfies readonly (readonly [Partial<Forgery>, string])[])("%j is for %s", (change, name) => {
  expect(meant(change)).toBe(name);
});
