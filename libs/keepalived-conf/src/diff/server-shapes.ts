// Virtual servers, their groups, real servers and checkers: what keepalived recognises them by (its vs_iseq, rs_iseq and
// the compare function of each checker).
import { canonicalJson } from "../canonical-json.ts";
import type { Change, FieldChange } from "./change.ts";
import type { Shape } from "./compare.ts";
import { named, text } from "./fields.ts";
import { checkerLabels, labelled, virtualServerLabels } from "./labels.ts";
import { isMembers, type Members, showValue } from "./show.ts";

/** Port 0 is any. */
const serverOf = ({ address, port }: Members): string =>
  `${text(address)}${port === 0 || port === undefined ? "" : ` port ${text(port)}`}`;

/** What a checker found out holds while it asks the same of the same; how often it asks is another thing. */
const asked: Readonly<Record<string, readonly string[]>> = {
  TCP_CHECK: ["connection"],
  PING_CHECK: ["connection"],
  UDP_CHECK: ["connection"],
  HTTP_GET: ["connection", "urls"],
  SSL_GET: ["connection", "urls"],
  SMTP_CHECK: ["connection", "heloName"],
  DNS_CHECK: ["connection", "queryType", "name"],
  MISC_CHECK: ["command", "dynamic"],
  FILE_CHECK: ["trackFile"],
  BFD_CHECK: ["session"],
};

const urlShape: Shape = {
  kind: "url",
  identity: ({ path, host }) => `${text(host)} ${text(path)}`,
  name: ({ path }) => text(path),
};

const checkerShape: Shape = {
  kind: "checker",
  identity: (item) => canonicalJson([item.type, ...(asked[text(item.type)] ?? []).map((name) => item[name] ?? null)]),
  name: ({ type }) => text(type),
  renewed: "it asks something else, and what was found out does not hold",
  lists: { urls: { ...urlShape, ordered: true } },
  fields: labelled(checkerLabels, {}),
};

const realServerShape: Shape = {
  kind: "real server",
  identity: serverOf,
  name: serverOf,
  lists: { checkers: checkerShape },
  fields: labelled({ forwarding: "lvs_method", "forwarding.method": "lvs_method" }, {}),
};

/** A mark alone stands for all protocols; of several servers on one group each is its place among them. */
function virtualServerOf({ id, family, protocol }: Members): string {
  if (!isMembers(id)) return "";
  if (id.kind === "fwmark") return `fwmark ${text(id.mark)}${family === 6 ? " IPv6" : ""}`;
  if (id.kind !== "group") return `${serverOf(id)} ${text(protocol)}`;
  return `group ${text(id.name)}${typeof id.index === "number" && id.index > 0 ? `, server ${id.index + 1}` : ""}`;
}

export const virtualServerShape: Shape = {
  kind: "virtual server",
  identity: virtualServerOf,
  name: virtualServerOf,
  lists: { realServers: realServerShape },
  fields: labelled(virtualServerLabels, {}),
};

function groupEntryOf({ kind, first, last, port, mark, family }: Members): string {
  if (kind === "fwmark")
    return `fwmark ${text(mark)}${family === undefined || family === null ? "" : ` IPv${text(family)}`}`;
  return serverOf({ address: first === last ? first : `${text(first)}-${text(last)}`, port });
}

export const virtualServerGroupShape: Shape = {
  kind: "virtual server group",
  identity: named,
  name: named,
  lists: { entries: { kind: "service", identity: groupEntryOf, name: groupEntryOf } },
};

// --- inheritance ----------------------------------------------------------------------------------------------------------

/** What real servers and checkers have of their virtual server is told of it alone, not of each of hundreds. */
export function withoutInherited(change: Change): Change {
  if (change.kind !== virtualServerShape.kind || change.fields.length === 0) return change;
  const told = change.fields.flatMap((field) => [field, ...followersOf(field)]);
  return { ...change, parts: leaveOut(change.parts, new Set(told.map(tellingOf))) };
}

/** Where they are not given these are the delay_loop. */
const followersOf = (field: FieldChange): FieldChange[] =>
  field.label === "delay_loop" ? ["warmup", "delay_before_retry"].map((label) => ({ ...field, label })) : [];

function leaveOut(parts: readonly Change[], told: ReadonlySet<string>): Change[] {
  return parts.flatMap((part) => {
    const fields = part.fields.filter((field) => !told.has(tellingOf(field)));
    const inner = leaveOut(part.parts, told);
    const isTold = part.action === "changed" && fields.length === 0 && inner.length === 0;
    return isTold ? [] : [{ ...part, fields, parts: inner }];
  });
}

const tellingOf = ({ label, before, after }: FieldChange): string => `${label}: ${showValue([before, after], "")}`;
