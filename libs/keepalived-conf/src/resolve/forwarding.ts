// How packets reach a server, as it is said step by step: each line changes what was said before it.
import type { Forwarding, Tunnel } from "../config.ts";
import type { ForwardingLine } from "../keywords/forwarding-argument.ts";

/** `method` undefined: not said yet. */
export interface GivenForwarding {
  readonly method: Forwarding["method"] | undefined;
  readonly tunnel: Tunnel;
}

export const noForwarding: GivenForwarding = { method: undefined, tunnel: { type: "ipip" } };

/** A line whose tunnel is not understood still says the method. */
export const changeForwarding = (before: GivenForwarding, line: ForwardingLine): GivenForwarding => ({
  method: line.method,
  tunnel: line.tunnel ?? before.tunnel,
});

/** `otherwise` counts where the server does not say a method. */
export function toForwarding(given: GivenForwarding, otherwise: Forwarding): Forwarding {
  if (given.method === undefined) return otherwise;
  return given.method === "tunnel" ? { method: "tunnel", tunnel: given.tunnel } : { method: given.method };
}
