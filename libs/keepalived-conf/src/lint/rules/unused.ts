// What is defined and named by nobody: most often the line that was to name it is missing, or has another name.
import type { Config } from "../../config.ts";
import { bfdInstance } from "../../keywords/bfd-instance.ts";
import { trackGroup } from "../../keywords/static.ts";
import type { BlockSpec } from "../../keywords/table.ts";
import { trackFile, vrrpTrackFile } from "../../keywords/track-file.ts";
import { virtualServerGroup } from "../../keywords/virtual-server.ts";
import { vrrpTrackProcess } from "../../keywords/vrrp-track-process.ts";
import { type Block, blocksOf, lists } from "../../syntax/tree.ts";
import { block, file, router } from "../example.ts";
import type { Finding, LintedFile, LintRule } from "../rule.ts";

const process = block("vrrp_track_process haproxy", "process haproxy");

const unusedObject: LintRule = {
  name: "unused-object",
  title: "Something is defined, and nothing in the file names it",
  severity: "warning",
  why:
    "A file, a process or a BFD session that nobody tracks changes no priority and causes no fault; a group of virtual " +
    "servers without a virtual_server serves nothing, and a track_group that no static address, route or rule names " +
    "guards nothing. Name it where it is to count, or remove it.",
  bad: { text: file(process, router()) },
  good: { text: file(process, router(block("track_process", "haproxy"))) },
  by: "lint",
  check: findUnused,
};

/** Specs of other headers are not asked for. */
const named: readonly (readonly [BlockSpec<string>, (config: Config) => readonly string[], string])[] = [
  [trackFile, namesOfFiles, "name it in a track_file block or a FILE_CHECK"],
  [vrrpTrackFile, namesOfFiles, "name it in a track_file block or a FILE_CHECK"],
  [vrrpTrackProcess, (config) => tracked(config, "trackProcesses"), "name it in a track_process block"],
  [bfdInstance, namesOfSessions, "name it in a track_bfd block or a BFD_CHECK"],
  [trackGroup, namesOfTrackGroups, "write track_group behind a static address, route or rule"],
];

function findUnused({ config, source: { tree } }: LintedFile): Finding[] {
  const findings = named.flatMap(([spec, namesIn, hint]) => {
    const blocks: Block<string>[] = blocksOf(tree, spec);
    const used = new Set(blocks.length === 0 ? [] : namesIn(config));
    return blocks
      .filter(({ header }) => !used.has(header))
      .map(({ header, place }) => ({ place, message: `nothing names ${spec.name} ${header}`, hint }));
  });
  const served = new Set(config.virtualServers.flatMap(({ id }) => (id.kind === "group" ? [id.name] : [])));
  const groups = lists(tree, virtualServerGroup).filter(({ header }) => header !== undefined && !served.has(header));
  return [
    ...findings,
    ...groups.map(({ header, place }) => ({
      place,
      message: `nothing names ${virtualServerGroup.name} ${header}`,
      hint: "write a virtual_server group of that name",
    })),
  ];
}

const tracked = (
  { instances, syncGroups }: Config,
  list: "trackFiles" | "trackProcesses" | "trackBfds",
): readonly string[] => [...instances, ...syncGroups].flatMap((each) => each[list].map(({ name }) => name));

const checkersOf = ({ virtualServers }: Config) =>
  virtualServers.flatMap(({ realServers }) => realServers.flatMap(({ checkers }) => checkers));

function namesOfFiles(config: Config): readonly string[] {
  const checked = checkersOf(config).flatMap((each) => (each.type === "FILE_CHECK" ? [each.trackFile] : []));
  return [...tracked(config, "trackFiles"), ...checked];
}

function namesOfSessions(config: Config): readonly string[] {
  const checked = checkersOf(config).flatMap((each) => (each.type === "BFD_CHECK" ? [each.session] : []));
  return [...tracked(config, "trackBfds"), ...checked];
}

function namesOfTrackGroups({ staticAddresses, staticRoutes, staticRules }: Config): readonly string[] {
  return [...staticAddresses, ...staticRoutes, ...staticRules].flatMap(({ trackGroup: name }) => name ?? []);
}

export const unusedRules: readonly LintRule[] = [unusedObject];
