// Everything of the checker process: virtual servers, their groups, and the keys of SSL_GET.
import type { Config, TlsConfig } from "../config.ts";
import { sslBlock } from "../keywords/virtual-server.ts";
import { replaced } from "../syntax/problems.ts";
import { type Block, blocksOf, value } from "../syntax/tree.ts";
import type { CheckerContext } from "./check-times.ts";
import type { ResolveContext } from "./context.ts";
import { resolveVirtualServers } from "./virtual-server.ts";
import { groupFacts, resolveGroups } from "./virtual-server-group.ts";

export function resolveLoadBalancer(
  root: Block,
  context: CheckerContext,
): Pick<Config, "virtualServers" | "virtualServerGroups" | "tls"> {
  const virtualServerGroups = resolveGroups(root, context);
  const virtualServers = resolveVirtualServers(root, {
    ...context,
    groups: new Map(virtualServerGroups.map((group) => [group.name, groupFacts(group)])),
  });
  return { virtualServers, virtualServerGroups, tls: resolveTls(root, context) };
}

function resolveTls(root: Block, context: ResolveContext): TlsConfig | undefined {
  const blocks = blocksOf(root, sslBlock);
  for (const block of blocks.slice(1)) {
    context.report(replaced(block.place, sslBlock.name));
  }
  const last = blocks.at(-1);
  if (last === undefined) return undefined;
  const { password, ca, certificate, key } = sslBlock.keywords;
  return {
    password: value(last, password),
    ca: value(last, ca),
    certificate: value(last, certificate),
    key: value(last, key),
  };
}
