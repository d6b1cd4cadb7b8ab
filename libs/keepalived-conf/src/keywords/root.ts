// The whole table: what may stand outside of all blocks, and below each of them.
import { bfdInstance } from "./bfd-instance.ts";
import { type FileConstruct, fileConstructs } from "./file-constructs.ts";
import { globalDefs, rootKeywords } from "./global-defs.ts";
import { garpGroup, staticValues, trackGroup } from "./static.ts";
import {
  type BlockSpec,
  block,
  type Keyword,
  type Option,
  type Pass,
  type Service,
  type Support,
  type ValueBlock,
} from "./table.ts";
import { trackFile, vrrpTrackFile } from "./track-file.ts";
import { sslBlock, virtualServer, virtualServerGroup } from "./virtual-server.ts";
import { vrrpInstance } from "./vrrp-instance.ts";
import { vrrpScript } from "./vrrp-script.ts";
import { vrrpSyncGroup } from "./vrrp-sync-group.ts";
import { vrrpTrackProcess } from "./vrrp-track-process.ts";

export const root = block("", {
  keywords: { ...rootKeywords, ...staticValues, virtualServerGroup },
  blocks: [
    globalDefs,
    vrrpScript,
    vrrpInstance,
    vrrpSyncGroup,
    trackGroup,
    garpGroup,
    vrrpTrackProcess,
    trackFile,
    vrrpTrackFile,
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
  /** `option`: a word of the lines of a value block; in parentheses what stands at a place of its own. */
  readonly kind: "keyword" | "option";
  /** Names of the blocks around it, `.` between; empty outside of all. */
  readonly block: string;
  readonly keyword: string;
  readonly syntax: string;
  readonly range: string;
  readonly default: string;
  readonly meaning: string;
  readonly support: "works" | "accepted" | "refused";
  /** Who carries it out, or will. */
  readonly service: Service;
  /** What Baton does instead; empty where it works. */
  readonly note: string;
  /** Why it should not be written any more, and what to write instead; empty: it may be. */
  readonly deprecated: string;
  /** The keyword that it is another name of; empty: its own. */
  readonly alias: string;
  /** keepalived's version that brought it; empty: 2.2.7 knows it. */
  readonly since: string;
}

/** What a keyword has of the block around it. */
interface Surroundings {
  readonly path: string;
  readonly support: Exclude<Support, { level: "as-block" }>;
  readonly service: Service;
}

const outside: Surroundings = { path: "", support: { level: "works" }, service: "parser" };

/** The table as rows, for manuals and tests. */
export const keywordTable = (): KeywordInfo[] => [...fileConstructs.map(constructRow), ...rowsOf(root, outside)];

/** Of no block, and read before there are any. */
const constructRow = ({ name, syntax, range, meaning, since = "" }: FileConstruct): KeywordInfo => ({
  kind: "option",
  block: "(file)",
  keyword: name,
  syntax,
  range,
  default: "",
  meaning,
  support: "works",
  service: "parser",
  note: "",
  deprecated: "",
  alias: "",
  since,
});

function rowsOf(spec: BlockSpec, around: Surroundings): KeywordInfo[] {
  const rows: KeywordInfo[] = [];
  for (const keyword of Object.values(spec.keywords)) {
    rows.push(describe(keyword, around));
    if (keyword.kind === "values") rows.push(...optionRows(keyword, within(keyword, around)));
  }
  for (const inner of spec.blocks) {
    rows.push(describe(inner, around));
    rows.push(...rowsOf(inner, within(inner, around)));
  }
  return rows;
}

function optionRows({ form }: ValueBlock, around: Surroundings): KeywordInfo[] {
  if (form === undefined) return [];
  const placed = [form.first, form.rest].filter((option) => option !== undefined);
  return [...placed, ...Object.values(form.options)].map((option) => describe(option, around));
}

const within = (spec: BlockSpec | ValueBlock, { path, ...around }: Surroundings): Surroundings => ({
  path: path === "" ? spec.name : `${path}.${spec.name}`,
  support: spec.support.level === "as-block" ? around.support : spec.support,
  service: spec.service ?? around.service,
});

function describe(
  spec: BlockSpec | Keyword<unknown> | Option<unknown> | ValueBlock,
  around: Surroundings,
): KeywordInfo {
  const single = spec.kind === "keyword" || spec.kind === "option";
  const argument = single ? spec.argument : spec.header;
  const body = single ? "" : " { … }";
  const support = spec.support.level === "as-block" ? around.support : spec.support;
  return {
    kind: spec.kind === "option" ? "option" : "keyword",
    block: around.path,
    keyword: spec.name,
    syntax: `${argument?.syntax ?? ""}${body}`.trim(),
    range: argument?.range ?? "",
    default: spec.default,
    meaning: spec.meaning,
    support: support.level,
    service: spec.service ?? around.service,
    note: support.level === "works" ? "" : support.differs,
    deprecated: spec.deprecated ?? "",
    alias: (single ? spec.alias?.name : undefined) ?? "",
    since: spec.since ?? "",
  };
}
