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
  /** The line of a list that starts with `word`. */
  entry(instance: InstanceConfig, list: ValueBlock, word: string): Place;
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
  const find = (instance: InstanceConfig, list: ValueBlock, wanted: (entry: Entry) => boolean): Place | undefined => {
    const block = instances.get(canonicalJson(instance.name));
    return block === undefined ? undefined : entries(block, list).find(wanted)?.at();
  };
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
      return find(instance, virtualAddresses, has) ?? find(instance, excludedAddresses, has) ?? this.instance(instance);
    },
    entry(instance, list, word) {
      return find(instance, list, ({ words: [first] }) => first.text === word) ?? this.instance(instance, list);
    },
    script: ({ name }, row) => at(scripts.get(canonicalJson(name)), row),
    syncGroup: ({ name }, row) => at(groups.get(canonicalJson(name)), row),
    virtualServer: ({ id }, row) => at(servers.get(canonicalJson(id)), row),
    realServer({ id }, { address }, row) {
      const block = servers.get(canonicalJson(id));
      const inner = block && blocksOf(block, realServer).find(({ header }) => header.address === address);
      return at(inner ?? block, row);
    },
  };
}

/** Of several with one name the first counts, as it does for keepalived. */
function byHeader<Header>(blocks: readonly Block<Header>[]): ReadonlyMap<string, Block<Header>> {
  return new Map(blocks.toReversed().map((block) => [canonicalJson(block.header), block]));
}

function placeIn(block: Block | undefined, row: Row | undefined): Place | undefined {
  if (block === undefined) return undefined;
  if (row?.kind === "keyword") return setting(block, row)?.place ?? block.place;
  return (row && lists(block, row)[0]?.place) ?? block.place;
}
