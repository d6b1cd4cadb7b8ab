// A configuration that is read, and asks for nothing.
import type { Config } from "../config.ts";

const substance = ["instances", "virtualServers", "staticAddresses", "staticRoutes", "staticRules"] as const;

/**
 * No instance, no virtual server, nothing static: scripts, groups and settings alone do nothing. What an older version
 * stored may lack lists.
 */
export const configuresNothing = (config: Partial<Pick<Config, (typeof substance)[number]>>): boolean =>
  substance.every((name) => (config[name] ?? []).length === 0);
