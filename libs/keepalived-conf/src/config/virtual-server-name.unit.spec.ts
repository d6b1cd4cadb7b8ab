import { type IpAddress, parseIp } from "@baton/domain";
import { expect, test } from "vitest";
import type { VirtualServerConfig } from "./virtual-server.ts";
import { virtualServerName } from "./virtual-server-name.ts";

const ip = (text: string): IpAddress => {
  const address = parseIp(text);
  if (address === undefined) throw new Error(`${text} is not an address`);
  return address;
};

const rows: readonly [Pick<VirtualServerConfig, "id" | "family" | "protocol">, string][] = [
  [{ id: { kind: "address", address: ip("192.0.2.1"), port: 80 }, family: 4, protocol: "tcp" }, "[192.0.2.1]:tcp:80"],
  [
    { id: { kind: "address", address: ip("2001:db8::1"), port: 53 }, family: 6, protocol: "udp" },
    "[2001:db8::1]:udp:53",
  ],
  [{ id: { kind: "fwmark", mark: 5 }, family: 4, protocol: undefined }, "FWM 5"],
  [{ id: { kind: "fwmark", mark: 5 }, family: 6, protocol: undefined }, "FWM 5 inet6"],
  [{ id: { kind: "group", name: "web", index: 1 }, family: 4, protocol: "tcp" }, "[web]:1"],
];

test.each(rows)("%j is called %s", (server, name) => {
  expect(virtualServerName(server)).toBe(name);
});
