// The whole table: what may stand outside of all blocks, and below each of them.
import { globalDefs, rootKeywords } from "./global-defs.ts";
import { type BlockSpec, block, type Keyword, type Pass, type Support, type ValueBlock } from "./table.ts";
import { sslBlock, virtualServer, virtualServerGroup } from "./virtual-server.ts";
import { vrrpInstance } from "./vrrp-instance.ts";
import { bfdInstance, vrrpRest, vrrpScript, vrrpSyncGroup } from "./vrrp-others.ts";

export const root = block("", {
  keywords: { ...rootKeywords, ...vrrpRest.values, virtualServerGroup },
  blocks: [
    globalDefs,
    vrrpScript,
    vrrpInstance,
    vrrpSyncGroup,
    ...vrrpRest.blocks,
    virtualServer,
    sslBlock,
    bfdInstance,
  ],
});

/** Who reads a keyword that stands outside of all blocks. */
export function ownersOf(spec: BlockSpec | Keyword<unknown> | ValueBlock): readonly Pass[] {
  if (spec.kind === "block") return spec.owners;
  if (spec.kind === "keyword") return ["parent"];
  return [spec.name === "virtual_server_group" ? "checker" : "vrrp"];
}

export interface KeywordInfo {
  /** Names of the blocks around it, `.` between; empty outside of all. */
  readonly block: string;
  readonly keyword: string;
  readonly syntax: string;
  readonly range: string;
  readonly default: string;
  readonly support: Support["level"];
  /** What Baton does instead, or what to write instead. */
  readonly note: string;
}

/** The table as rows, for manuals and tests. */
export function keywordTable(spec: BlockSpec = root, path = ""): KeywordInfo[] {
  const rows: KeywordInfo[] = [];
  for (const keyword of Object.values(spec.keywords)) rows.push(describe(keyword, path));
  for (const inner of spec.blocks) {
    rows.push(describe(inner, path));
    rows.push(...keywordTable(inner, path === "" ? inner.name : `${path}.${inner.name}`));
  }
  return rows;
}

function describe(spec: BlockSpec | Keyword<unknown> | ValueBlock, path: string): KeywordInfo {
  const argument = spec.kind === "keyword" ? spec.argument : spec.header;
  const body = spec.kind === "keyword" ? "" : " { … }";
  const differs = spec.support.level === "not-yet" ? spec.support.differs : "";
  return {
    block: path,
    keyword: spec.name,
    syntax: `${argument?.syntax ?? ""}${body}`.trim(),
    range: argument?.range ?? "",
    default: spec.default,
    support: spec.support.level,
    note: spec.deprecated ?? differs,
  };
}
