// What is to be in the kernel: whole services, each with all its destinations, by name.
import type { Destination, ForwardingMethod, Service, TunnelEncapsulation } from "./model.ts";

/** A service as it is to be. */
export interface WantedService extends Service {
  /** No two of one name (`destinationName`). */
  readonly destinations: readonly Destination[];
}

/** By `serviceName`. */
export type ServiceTable = ReadonlyMap<string, WantedService>;

/** Nothing of it would have to be changed; keys and destinations are not looked at. */
export const isSameService = (a: Service, b: Service): boolean =>
  a.scheduler === b.scheduler &&
  a.flags === b.flags &&
  a.timeoutSeconds === b.timeoutSeconds &&
  a.netmask === b.netmask &&
  a.engine === b.engine;

/** Nothing of it would have to be changed; keys and counters are not looked at. */
export const isSameDestination = (a: Destination, b: Destination): boolean =>
  a.weight === b.weight &&
  a.upperThreshold === b.upperThreshold &&
  a.lowerThreshold === b.lowerThreshold &&
  isSameForwarding(a.forwarding, b.forwarding);

function isSameForwarding(a: ForwardingMethod, b: ForwardingMethod): boolean {
  if (a.method !== "tunnel" || b.method !== "tunnel") return a.method === b.method;
  const [left, right] = [a.tunnel, b.tunnel];
  return left.type === right.type && portOf(left) === portOf(right) && checksumOf(left) === checksumOf(right);
}

const portOf = (tunnel: TunnelEncapsulation): number => (tunnel.type === "gue" ? tunnel.port : 0);
const checksumOf = (tunnel: TunnelEncapsulation): string => (tunnel.type === "ipip" ? "none" : tunnel.checksum);
