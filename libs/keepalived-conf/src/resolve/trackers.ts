// `track_file`, `vrrp_track_process` and `bfd_instance`: what can be tracked beside scripts.
import { ipFamily, micros, millisToMicros } from "@baton/domain";
import type { BfdConfig, TrackFileConfig, TrackProcessConfig } from "../config.ts";
import { bfdInstance } from "../keywords/bfd-instance.ts";
import type { Weight } from "../keywords/line-arguments.ts";
import type { Keyword } from "../keywords/table.ts";
import { trackFile, vrrpTrackFile } from "../keywords/track-file.ts";
import { vrrpTrackProcess } from "../keywords/vrrp-track-process.ts";
import { repeated } from "../syntax/problems.ts";
import { type Block, blocksOf, isSet, setting, settings, value } from "../syntax/tree.ts";
import { adjust, advise, type ResolveContext, reject } from "./context.ts";
import type { Trackable } from "./tracking.ts";

/** Objects of one kind, and their names for those who track them. */
export interface Tracked<T> {
  readonly configs: readonly T[];
  readonly names: ReadonlyMap<string, Trackable>;
}

/** Who is told of a session's state. */
export interface BfdNames {
  readonly vrrp: ReadonlyMap<string, Trackable>;
  readonly checker: ReadonlyMap<string, Trackable>;
}

interface Weighted {
  readonly weight: number;
  readonly reverse: boolean;
}

/** Of several objects with one name the first that is not left out is the one that is found. */
function collect<T extends Weighted>(
  blocks: readonly Block<string>[],
  keyword: string,
  resolve: (block: Block<string>) => T | undefined,
  context: ResolveContext,
): Tracked<T> {
  const configs = new Map<string, T>();
  const names = new Map<string, Trackable>();
  for (const block of blocks) {
    const { header: name, order } = block;
    const config = resolve(block);
    if (configs.has(name)) {
      if (config === undefined) continue;
      const message = `${keyword} ${name} was defined before; this one is never used`;
      advise(context, block.place, "duplicate-name", message, "give it another name");
    } else if (config === undefined) {
      names.set(name, { name, order, weight: 0, reverse: false, state: "left-out" });
    } else {
      names.set(name, { name, order, weight: config.weight, reverse: config.reverse, state: "works" });
      configs.set(name, config);
    }
  }
  return { configs: [...configs.values()], names };
}

/** keepalived takes a weight for given as soon as it is not the one that counts without it. */
function firstWeight(block: Block, keyword: Keyword<Weight>, absent: number, context: ResolveContext): Weight {
  let counts: Weight = { weight: absent, reverse: false };
  for (const { value: given, place } of settings(block, keyword)) {
    if (counts.weight !== absent) context.report(repeated(place, keyword.name));
    else counts = { weight: given.weight, reverse: counts.reverse || given.reverse };
  }
  return counts;
}

export function resolveTrackFiles(root: Block, context: ResolveContext): Tracked<TrackFileConfig> {
  const blocks = [...blocksOf(root, trackFile), ...blocksOf(root, vrrpTrackFile)].toSorted((a, b) => a.order - b.order);
  return collect(blocks, trackFile.name, (block) => resolveTrackFile(block, context), context);
}

function resolveTrackFile(block: Block<string>, context: ResolveContext): TrackFileConfig | undefined {
  const { keywords } = trackFile;
  const file = setting(block, keywords.file);
  const weight = firstWeight(block, keywords.weight, 1, context);
  const what = `track_file ${block.header}`;
  if (file === undefined) {
    reject(context, block.place, "no-file", `${what} has no file and is left out`, "write file PATH");
    return undefined;
  }
  const { value: path, place } = file;
  const directory = path.includes("/") ? path.slice(0, path.lastIndexOf("/")) : ".";
  // As keepalived looks for it: it does not find the directory of a file in / itself.
  const { fileKind } = context.machine;
  const missing = directory === "" || (fileKind !== undefined && fileKind(directory) !== "directory");
  if (!missing) return { name: block.header, path, ...weight, initial: value(block, keywords.initFile) };
  const message = directory === "" ? `files in / cannot be tracked` : `there is no directory ${directory}`;
  reject(
    context,
    place,
    "no-directory",
    `${what}: ${message}; it is left out`,
    "track a file in a directory that exists",
  );
  return undefined;
}

export const resolveTrackProcesses = (root: Block, context: ResolveContext): Tracked<TrackProcessConfig> =>
  collect(
    blocksOf(root, vrrpTrackProcess),
    vrrpTrackProcess.name,
    (block) => resolveTrackProcess(block, context),
    context,
  );

function resolveTrackProcess(block: Block<string>, context: ResolveContext): TrackProcessConfig | undefined {
  const { keywords } = vrrpTrackProcess;
  const process = value(block, keywords.process);
  const weight = firstWeight(block, keywords.weight, 0, context);
  const numbers = resolveQuorum(block, context);
  if (process === undefined) {
    const message = `vrrp_track_process ${block.header} has no process and is left out`;
    reject(context, block.place, "no-process", message, "write process PATH");
    return undefined;
  }
  const asked = value(block, keywords.parameterMatch);
  const match = asked ?? (process.parameters.length > 0 ? "exact" : "none");
  const latest = (own: Keyword<number>): number =>
    [...settings(block, keywords.delay), ...settings(block, own)].toSorted((a, b) => a.order - b.order).at(-1)?.value ??
    0;
  return {
    name: block.header,
    ...process,
    match,
    fullCommand: isSet(block, keywords.fullCommand) || match !== "none",
    ...weight,
    ...numbers,
    terminateDelay: micros(latest(keywords.terminateDelay)),
    forkDelay: micros(latest(keywords.forkDelay)),
  };
}

/** Each line has to fit those before it. */
function resolveQuorum(block: Block, context: ResolveContext): Pick<TrackProcessConfig, "quorum" | "quorumMax"> {
  const { keywords } = vrrpTrackProcess;
  let quorum = 1;
  let quorumMax: number | undefined;
  const lines = [...settings(block, keywords.quorum), ...settings(block, keywords.quorumMax)];
  for (const { keyword, value: given, place } of lines.toSorted((a, b) => a.order - b.order)) {
    if (keyword === keywords.quorum) {
      if (quorumMax === undefined || given <= quorumMax) quorum = given;
      else reject(context, place, "quorum", `quorum ${given} is above quorum_max ${quorumMax}; it is ignored`);
    } else if ((given > 0 || quorum > 1) && given < quorum) {
      reject(context, place, "quorum", `quorum_max ${given} is below quorum ${quorum}; it is ignored`);
    } else {
      quorumMax = given;
      quorum = given === 0 ? 0 : Math.max(1, quorum);
    }
  }
  return { quorum, quorumMax };
}

/** A session that is left out can still be tracked: keepalived's VRRP process knows the name alone. */
export function resolveBfdInstances(
  root: Block,
  context: ResolveContext,
): { readonly configs: readonly BfdConfig[]; readonly names: BfdNames } {
  const { keywords } = bfdInstance;
  const configs: BfdConfig[] = [];
  const names = { vrrp: new Map<string, Trackable>(), checker: new Map<string, Trackable>() };
  const pairs = new Set<string>();
  for (const block of blocksOf(root, bfdInstance)) {
    const [vrrp, checker] = [isSet(block, keywords.vrrp), isSet(block, keywords.checker)];
    const tells = vrrp || checker ? { vrrp, checker } : { vrrp: true, checker: true };
    const weight = value(block, keywords.weight) ?? { weight: 0, reverse: false };
    const trackable = { name: block.header, order: block.order, ...weight, state: "works" } as const;
    if (tells.vrrp) names.vrrp.set(block.header, trackable);
    if (tells.checker) names.checker.set(block.header, trackable);
    const session = resolveSession(block, context);
    const pair = session && `${session.neighbor} ${session.source ?? ""} ${session.multihop}`;
    if (session === undefined || pair === undefined) continue;
    if (pairs.has(pair))
      reject(context, block.place, "bfd-duplicate", `there is a session with ${session.neighbor} already; ${leftOut}`);
    else configs.push({ name: block.header, ...session, ...weight, tells });
    pairs.add(pair);
  }
  return { configs, names };
}

const leftOut = "this one is left out";

type Session = Omit<BfdConfig, "name" | "weight" | "reverse" | "tells">;

function resolveSession(block: Block<string>, context: ResolveContext): Session | undefined {
  const { keywords } = bfdInstance;
  const neighbors = settings(block, keywords.neighborAddress).map(({ value: address }) => address);
  const neighbor = neighbors.find((address) => address === "malformed") ?? neighbors.at(-1);
  const source = value(block, keywords.sourceAddress);
  if (neighbor === undefined) {
    const message = `bfd_instance ${block.header} has no neighbor_ip; ${leftOut}`;
    reject(context, block.place, "bfd-neighbor", message, "write neighbor_ip ADDR");
    return undefined;
  }
  if (neighbor === "malformed") return undefined;
  if (source !== undefined && ipFamily(source) !== ipFamily(neighbor)) {
    const message = `bfd_instance ${block.header}: ${source} and ${neighbor} are of different families; ${leftOut}`;
    reject(context, setting(block, keywords.sourceAddress)?.place ?? block.place, "address-family", message);
    return undefined;
  }
  const ttl = value(block, keywords.ttl) ?? (ipFamily(neighbor) === 4 ? 255 : 64);
  return {
    neighbor,
    source,
    minReceiveInterval: value(block, keywords.minReceive) ?? millisToMicros(10),
    minTransmitInterval: value(block, keywords.minTransmit) ?? millisToMicros(10),
    idleTransmitInterval: value(block, keywords.idleTransmit) ?? millisToMicros(1000),
    multiplier: value(block, keywords.multiplier) ?? 5,
    passive: isSet(block, keywords.passive),
    ttl,
    maxHops: resolveHops(block, ttl, context),
    multihop: value(block, keywords.multihop) ?? false,
  };
}

function resolveHops(block: Block<string>, ttl: number, context: ResolveContext): number {
  const given = setting(block, bfdInstance.keywords.maxHops);
  if (given === undefined || given.value <= ttl) return given?.value ?? 0;
  adjust(context, given.place, "max-hops", `no packet passes more than ${ttl} routers`, { used: `max_hops ${ttl}` });
  return ttl;
}
