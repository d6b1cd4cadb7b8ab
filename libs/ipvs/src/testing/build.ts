// Services and destinations in one line each, for tests.
import { assert, type IpAddress, ipFamily, parseIp } from "@baton/domain";
import {
  type Destination,
  type Family,
  type ForwardingMethod,
  type Protocol,
  type Service,
  type ServiceKey,
  wholeMask,
} from "../model.ts";
import type { WantedService } from "../table.ts";

export function ip(text: string): IpAddress {
  const address = parseIp(text);
  assert(address !== undefined, `not an address: ${text}`);
  return address;
}

/** `10.0.0.1`, `tcp`, 80. */
export function addressKey(address: string, protocol: Protocol = "tcp", port = 80): ServiceKey {
  return { kind: "address", family: ipFamily(ip(address)), protocol, address: ip(address), port };
}

export const markKey = (mark: number, family: Family = 4): ServiceKey => ({ kind: "fwmark", family, mark });

/** Without persistence, by round robin. */
export const aService = (key: ServiceKey, changes: Partial<Service> = {}): Service => ({
  key,
  scheduler: "rr",
  flags: 0,
  timeoutSeconds: 0,
  netmask: wholeMask(key.family),
  engine: undefined,
  ...changes,
});

export const masquerade: ForwardingMethod = { method: "masquerade" };

/** Masqueraded, of weight 1, on port 80. */
export const aDestination = (address: string, changes: Partial<Destination> = {}): Destination => ({
  family: ipFamily(ip(address)),
  address: ip(address),
  port: 80,
  forwarding: masquerade,
  weight: 1,
  upperThreshold: 0,
  lowerThreshold: 0,
  ...changes,
});

export const withDestinations = (service: Service, ...destinations: Destination[]): WantedService => ({
  ...service,
  destinations,
});
