// Where a checker connects to, and from where.
import { type IpAddress, ipFamily } from "@baton/domain";
import type { CheckConnection } from "../config.ts";
import { checkerKeywords, checkers, smtpHost } from "../keywords/checker.ts";
import { type Block, inOrder, isSet, isSettingOf, setting, value } from "../syntax/tree.ts";
import { type CheckedServer, firstValue } from "./check-times.ts";
import { advise, type ResolveContext, reject } from "./context.ts";

const { connectAddress, connectPort, bindAddress, bindPort, bindInterface, connectTimeout, mark } = checkerKeywords;

/** fe80::/10 (RFC 4291 section 2.5.6). */
const linkLocal = /^fe[89ab]/;

/** Says that a block names an end of the connection, and not only how long it may take. */
export const namesConnection = (block: Block): boolean =>
  [connectAddress, connectPort, bindAddress, bindPort, bindInterface, mark].some((keyword) => isSet(block, keyword));

/**
 * `blocks`: the checker, from the inside out; only the innermost says where to. undefined: it cannot connect, and the
 * checker is left out; reported.
 */
export function resolveConnection(
  blocks: readonly [Block, ...Block[]],
  server: CheckedServer,
  context: ResolveContext,
): CheckConnection | undefined {
  const [block] = blocks;
  const type = block.spec.name;
  const { address, bindAddress: source } = resolveEnds(block, server, context);
  const through = value(block, bindInterface);
  if (through === undefined && linkLocal.test(address)) {
    const message = `${type}: the link-local address ${address} needs an interface; the check is left out`;
    reject(context, block.place, "bind-interface", message, "write bind_if INTERFACE");
    return undefined;
  }
  const sourcePort = setting(block, bindPort);
  if (sourcePort !== undefined && source === undefined) {
    advise(context, sourcePort.place, "bind-port", `${type}: bind_port is of no use without bindto; it is ignored`);
  }
  const port = value(block, connectPort) ?? server.port;
  if (port === 0 && type !== "PING_CHECK") {
    const message = `${type}: neither the check nor its real server has a port; nothing will answer`;
    advise(context, block.place, "no-check-port", message, "write connect_port PORT");
  }
  return {
    address,
    port,
    bindAddress: source,
    bindPort: source === undefined ? undefined : sourcePort?.value,
    bindInterface: through,
    timeout: firstValue(blocks, connectTimeout) ?? server.defaults.connectTimeout,
    mark: value(block, mark) ?? 0,
  };
}

type Ends = Pick<CheckConnection, "address" | "bindAddress">;

/** Both are of one family: what comes later and is of another one is ignored. */
function resolveEnds(block: Block, server: CheckedServer, context: ResolveContext): Ends {
  // SMTP_CHECK asks for its real server only after it has read everything.
  const late = block.spec === checkers.SMTP_CHECK || block.spec === smtpHost;
  let address = late ? undefined : server.address;
  let source: IpAddress | undefined;
  for (const item of inOrder(block)) {
    if (isSettingOf(item, connectAddress)) {
      if (source === undefined || ipFamily(item.value) === ipFamily(source)) address = item.value;
      else {
        const message = `connect_ip ${item.value} is not of the family of bindto ${source}; it is ignored`;
        reject(context, item.place, "address-family", message);
      }
    } else if (isSettingOf(item, bindAddress)) {
      const fits = address === undefined || ipFamily(item.value) === ipFamily(address);
      source = fits ? item.value : undefined;
      if (fits) continue;
      const message = `bindto ${item.value} is not of the family of ${address}, which is checked; it is ignored`;
      reject(context, item.place, "address-family", message, "connect_ip has to stand before it");
    }
  }
  const target = address ?? server.address;
  if (source === undefined || ipFamily(source) === ipFamily(target)) return { address: target, bindAddress: source };
  const message = `bindto ${source} is not of the family of ${target}, which is checked; it is ignored`;
  advise(context, block.place, "address-family", message);
  return { address: target, bindAddress: undefined };
}
