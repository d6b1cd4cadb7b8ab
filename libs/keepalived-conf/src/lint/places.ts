// Where a part of the Config stands in the file. The Config is plain JSON and knows no places: they are found in the
// blocks that it was made of, by the names that the file itself goes by.
import { type IpAddress, parseIp } from "@baton/domain";
import { canonicalJson } from "../canonical-json.ts";
import type { InstanceConfig, RealServerConfig, VirtualServerConfig } from "../config.ts";
import type { BlockSpec, Entry, Keyword, ValueBlock } from "../keywords/table.ts";
import { realServer, virtualServer } from "../keywords/virtual-server.ts";
import { vrrpInstance } from "../keywords/vrrp-instance.ts";
import { vrrpScript } from "../keywords/vrrp-script.ts";
import { vrrpSyncGroup } from "../keywords/vrrp-sync-group.ts";
import type { Source } from "../parse-config.ts";
import type { Place } from "../report.ts";
import { type Block, blocksOf, entries, isSet, lists, setting } from "../syntax/tree.ts";
import type { TrackKind, WeightedTracker } from "./priorities.ts";

type Row = Keyword<unknown> | ValueBlock;

/** Each gives the place of the row's line; of the block's own line where the row is absent, or is not asked for. */
export interface Places {
  file(): Place;
  instance(instance: { readonly name: string }, row?: Row): Place;
  /** Whether the instance has a line with that keyword. */
  has(instance: { readonly name: string }, row: Keyword<unknown>): boolean;
  /** The first block of that kind in the instance. */
  inner(instance: { readonly name: string }, spec: BlockSpec): Place;
  /** The line of `virtual_ipaddress` or `virtual_ipaddress_excluded` that has the address. */
  address(instance: InstanceConfig, address: IpAddress): Place;
  /** The line that names a tracked object: the group's, or the instance's own. */
  tracker(instance: InstanceConfig, tracker: WeightedTracker): Place;
  script(script: { readonly name: string }, row?: Row): Place;
  syncGroup(group: { readonly name: string }, row?: Row): Place;
  virtualServer(server: VirtualServerConfig, row?: Row): Place;
  realServer(server: VirtualServerConfig, real: RealServerConfig, row?: Row): Place;
}

export function placesIn({ file, tree }: Source): Places {
  const whole: Place = { file, line: 0, column: 0 };
  const instances = byHeader(blocksOf(tree, vrrpInstance));
  const scripts = byHeader(blocksOf(tree, vrrpScript));
  const groups = byHeader(blocksOf(tree, vrrpSyncGroup));
  const servers = byHeader(blocksOf(tree, virtualServer));
  const at = (block: Block | undefined, row?: Row): Place => placeIn(block, row) ?? whole;
  const find = (block: Block | undefined, list: ValueBlock, wanted: (entry: Entry) => boolean): Place | undefined =>
    block === undefined ? undefined : entries(block, list).find(wanted)?.at();
  return {
    file: () => whole,
    instance: ({ name }, row) => at(instances.get(canonicalJson(name)), row),
    has({ name }, row) {
      const block = instances.get(canonicalJson(name));
      return block !== undefined && isSet(block, row);
    },
    inner(instance, spec) {
      const block = instances.get(canonicalJson(instance.name));
      return at((block && blocksOf(block, spec)[0]) ?? block);
    },
    address(instance, address) {
      const { virtualAddresses, excludedAddresses } = vrrpInstance.keywords;
      const has = ({ words }: Entry) => words.some(({ text }) => parseIp(text.replace(/\/.*/, "")) === address);
      const block = instances.get(canonicalJson(instance.name));
      return find(block, virtualAddresses, has) ?? find(block, excludedAddresses, has) ?? at(block);
    },
    tracker(instance, { group, kind, name }) {
      const [block, list] =
        group === undefined
          ? [instances.get(canonicalJson(instance.name)), instanceLists[kind]]
          : [groups.get(canonicalJson(group.name)), groupLists[kind]];
      return find(block, list, ({ words: [first] }) => first.text === name) ?? at(block, list);
    },
    script: ({ name }, row) => at(scripts.get(canonicalJson(name)), row),
    syncGroup: ({ name }, row) => at(groups.get(canonicalJson(name)), row),
    virtualServer: ({ id }, row) => at(servers.get(headerOf(id)), row),
    realServer({ id }, { address }, row) {
      const block = servers.get(headerOf(id));
      const inner = block && blocksOf(block, realServer).find(({ header }) => header.address === address);
      return at(inner ?? block, row);
    },
  };
}

type TrackLists = Readonly<Record<TrackKind, ValueBlock>>;

const listsOf = (
  keywords: Readonly<Record<`track${"Interface" | "Script" | "File" | "Process" | "Bfd"}`, ValueBlock>>,
): TrackLists => ({
  trackInterfaces: keywords.trackInterface,
  trackScripts: keywords.trackScript,
  trackFiles: keywords.trackFile,
  trackProcesses: keywords.trackProcess,
  trackBfds: keywords.trackBfd,
});

const instanceLists = listsOf(vrrpInstance.keywords);
const groupLists = listsOf(vrrpSyncGroup.keywords);

/** The file does not count the virtual servers of a group. */
const headerOf = (id: VirtualServerConfig["id"]): string =>
  canonicalJson(id.kind === "group" ? { kind: id.kind, name: id.name } : id);

/** Of several with one name the first counts, as it does for keepalived. */
function byHeader<Header>(blocks: readonly Block<Header>[]): ReadonlyMap<string, Block<Header>> {
  return new Map(blocks.toReversed().map((block) => [canonicalJson(block.header), block]));
}

function placeIn(block: Block | undefined, row: Row | undefined): Place | undefined {
  if (block === undefined) return undefined;
  if (row?.kind === "keyword") return setting(block, row)?.place ?? block.place;
  return (row && lists(block, row)[0]?.place) ?? block.place;
}
