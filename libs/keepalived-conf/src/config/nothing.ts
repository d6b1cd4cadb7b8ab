// A configuration that is read, and asks for nothing.
import type { Config } from "../config.ts";

/** No instance and no virtual server: scripts, groups and settings alone do nothing. */
export const configuresNothing = ({
  instances,
  virtualServers,
}: Pick<Config, "instances" | "virtualServers">): boolean => instances.length === 0 && virtualServers.length === 0;
