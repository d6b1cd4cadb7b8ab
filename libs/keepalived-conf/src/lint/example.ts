// Whole configurations for the manual's examples, of which only what matters to the rule is written out.
import type { Example } from "./rule.ts";

/** One virtual router; `lines` stand in its block. */
export const router = (...lines: readonly string[]): string => instance("VI_1", 51, "192.0.2.10/24", ...lines);

/** Two routers of it, of which the first is to be master, with lines of their own. */
export const routers = (own: readonly string[], others: readonly string[]): Example => ({
  text: file(router("priority 110", ...own)),
  peer: file(router("priority 100", ...others)),
});

export function instance(name: string, vrid: number, address: string, ...lines: readonly string[]): string {
  const body = ["interface eth0", `virtual_router_id ${vrid}`, ...lines, "virtual_ipaddress {", `    ${address}`, "}"];
  return block(`vrrp_instance ${name}`, ...body);
}

export const block = (head: string, ...body: readonly string[]): string =>
  [`${head} {`, ...body.flatMap((line) => line.split("\n")).map((line) => `    ${line}`), "}"].join("\n");

export const file = (...blocks: readonly string[]): string => `${blocks.join("\n\n")}\n`;
