import { type IpAddress, parseIp } from "@baton/domain";
import { describe, expect, it } from "vitest";
import { destinationName, serviceFlags, serviceFlagsMask, serviceName, wholeMask } from "./mod.ts";

const ip = (text: string): IpAddress => parseIp(text) ?? expect.fail(text);

describe("the model of the kernel's table", () => {
  it("gives every bit that can be chosen a name, and leaves the kernel's own out", () => {
    expect(Object.values(serviceFlags).reduce((all, bit) => all | bit, 0)).toBe(serviceFlagsMask);
    expect(serviceFlagsMask & 2).toBe(0);
  });

  it("names services apart by family, protocol, address, port and mark", () => {
    const names = [
      serviceName({ kind: "address", family: 4, protocol: "tcp", address: ip("10.0.0.1"), port: 80 }),
      serviceName({ kind: "address", family: 4, protocol: "udp", address: ip("10.0.0.1"), port: 80 }),
      serviceName({ kind: "address", family: 6, protocol: "tcp", address: ip("2001:db8::1"), port: 80 }),
      serviceName({ kind: "fwmark", family: 4, mark: 80 }),
      serviceName({ kind: "fwmark", family: 6, mark: 80 }),
    ];
    expect(names).toEqual([
      "tcp 10.0.0.1:80",
      "udp 10.0.0.1:80",
      "tcp [2001:db8::1]:80",
      "fwmark 80 IPv4",
      "fwmark 80 IPv6",
    ]);
  });

  it("names destinations by address and port", () => {
    expect(destinationName({ family: 4, address: ip("10.0.0.2"), port: 0 })).toBe("10.0.0.2:0");
    expect(destinationName({ family: 6, address: ip("2001:db8::2"), port: 80 })).toBe("[2001:db8::2]:80");
  });

  it("takes each client for itself with the whole mask", () => {
    expect(wholeMask(4)).toBe(2 ** 32 - 1);
    expect(wholeMask(6)).toBe(128);
  });
});
