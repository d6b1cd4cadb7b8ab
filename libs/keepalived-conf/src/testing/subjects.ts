// Everything that keepalived's dump tells of a file, beside what our Config says of the same.
import type { CheckerConfig, Command, Config, GroupNotifyConfig } from "../config.ts";
import { dumpedAddress, dumpedRoute, dumpedRule } from "../dump/dump-lines.ts";
import { type Subject, without } from "./comparison.ts";
import type { Sample } from "./corpus.ts";
import { type Dump, type DumpedObject, type Facts, shown } from "./dump-objects.ts";
import { globalFacts, globalFactsOf } from "./global-facts.ts";
import { groupFacts, groupFactsOf, instanceFacts, instanceFactsOf, withoutWeights } from "./instance-facts.ts";
import { isProgramThere } from "./sample-machine.ts";
import { resolveNames, type ServerDump } from "./server-dump.ts";
import {
  checkerFacts,
  checkerLabelsIgnored,
  checkerOf,
  groupLine,
  realServerFacts,
  realServerLabelsIgnored,
  serverFacts,
  serverLabelsIgnored,
  sorryFacts,
  sorryLabelsIgnored,
  tlsFacts,
  urlFacts,
} from "./server-facts.ts";
import {
  scriptFacts,
  scriptFactsOf,
  sessionFacts,
  sessionFactsOf,
  trackedSessionFacts,
  trackedSessionFactsOf,
} from "./tracker-facts.ts";

const nothing: Facts = new Map();

/** `hostName`: of the machine on which the dump was made. */
export function subjectsOf(sample: Sample, hostName: string): Subject[] {
  const { verdict, result, dump, servers } = sample;
  const { config } = result;
  if (config === undefined) return [];
  const id = verdict.config_id === undefined ? verdict.id : `${verdict.id} as ${verdict.config_id}`;
  return [
    ...(dump === undefined ? [] : routerSubjects(id, dump, config, verdict.messages, hostName)),
    ...(servers === undefined ? [] : serverSubjects(id, servers, config)),
  ];
}

/** Lists of things that are told one by one: whether there are as many, in the same order. */
const names = (kind: string, what: string, theirs: readonly string[], ours: readonly string[]): Subject => ({
  kind,
  what,
  theirs: shown({ [`all ${kind}`]: theirs.join("\n") }),
  ours: shown({ [`all ${kind}`]: ours.join("\n") }),
});

const namesOf = (objects: readonly { readonly name: string }[]): string[] => objects.map(({ name }) => name);

/** Objects of both by their names; `ours` undefined: there is no such object, and that is told of all together. */
function pairs<T extends { readonly name: string }>(
  id: string,
  kind: string,
  theirs: readonly DumpedObject[],
  ours: readonly T[],
  facts: readonly [theirs: (facts: Facts) => Facts, ours: (of: T) => Facts],
): Subject[] {
  return theirs.flatMap(({ name, facts: told }) => {
    const own = ours.find((candidate) => candidate.name === name);
    if (own === undefined) return [];
    return [{ kind, what: `${id} ${name}`, theirs: facts[0](told), ours: facts[1](own) }];
  });
}

function routerSubjects(
  id: string,
  dump: Dump,
  config: Config,
  messages: readonly string[],
  hostName: string,
): Subject[] {
  // Disabled for reasons of that machine, or because keepalived runs no shell.
  const isDisabled = ({ name }: { readonly name: string }): boolean =>
    messages.some((message) => message.startsWith(`Disabling track script ${name} `));
  const instances = config.instances.map((instance) => ({
    ...instance,
    trackScripts: instance.trackScripts.filter((ref) => !isDisabled(ref)),
    notify: withPrograms(instance.notify),
  }));
  const syncGroups = config.syncGroups.map((group) => ({ ...group, notify: withPrograms(group.notify) }));
  const there = { ...config, instances };
  const tracked = dump.scripts.filter(({ facts }) => facts.has("Tracking instances"));
  const groups = dump.groups.map(({ name, facts }) => ({ name: name.replace(/, [A-Z]+$/, ""), facts }));
  const scripts = config.scripts.filter((script) => !isDisabled(script));
  const sessions = config.bfdInstances;
  return [
    {
      kind: "globals",
      what: `${id} global_defs`,
      theirs: globalFactsOf(dump.global, hostName),
      ours: globalFactsOf(globalFacts(config), hostName),
    },
    ...staticSubjects(id, dump, config),
    ...(dump.isWhole ? [names("instances", id, namesOf(dump.instances), namesOf(instances))] : []),
    ...pairs(id, "instances", dump.instances, instances, [
      (facts) => instanceFactsOf(facts, dump.global),
      (own) => instanceFacts(own, config.syncGroups),
    ]),
    names("sync groups", id, namesOf(groups), namesOf(config.syncGroups)),
    ...pairs(id, "sync groups", groups, syncGroups, [groupFactsOf, groupFacts]),
    names("scripts", id, namesOf(tracked), namesOf(scripts)),
    ...pairs(id, "scripts", tracked, scripts, [scriptFactsOf, (own) => scriptFacts(own, there)]),
    names("BFD sessions", id, namesOf(dump.sessions), namesOf(sessions)),
    ...pairs(id, "BFD sessions", dump.sessions, sessions, [sessionFactsOf, sessionFacts]),
    ...pairs(id, "tracked BFD sessions", dump.trackedSessions, sessions, [
      trackedSessionFactsOf,
      (own) => trackedSessionFacts(own, there),
    ]),
  ];
}

/** keepalived forgets scripts that are not there. */
function withPrograms<T extends GroupNotifyConfig>(notify: T): T {
  const there = (command: Command | undefined) =>
    command !== undefined && isProgramThere(command) ? command : undefined;
  const { master, backup, fault, stop, any } = notify;
  return {
    ...notify,
    master: there(master),
    backup: there(backup),
    fault: there(fault),
    stop: there(stop),
    any: there(any),
  };
}

const staticSubjects = (id: string, dump: Dump, config: Config): Subject[] => [
  names("static addresses", id, dump.staticAddresses, config.staticAddresses.map(dumpedAddress)),
  names("static routes", id, dump.staticRoutes.map(withoutWeights), config.staticRoutes.map(dumpedRoute)),
  names("static rules", id, dump.staticRules, config.staticRules.map(dumpedRule)),
];

function serverSubjects(id: string, dump: ServerDump, config: Config): Subject[] {
  const { virtualServers, virtualServerGroups, tls } = config;
  return [
    names("virtual server groups", id, dump.groups, virtualServerGroups.map(groupLine)),
    { kind: "keys", what: `${id} SSL`, theirs: dump.tls ?? nothing, ours: tls === undefined ? nothing : tlsFacts(tls) },
    ...dump.servers.flatMap(({ facts, sorry, realServers }, index) => {
      const what = `${id} virtual server ${index}`;
      const own = virtualServers[index];
      if (own === undefined) return [];
      const { sorryServer } = own;
      return [
        { kind: "virtual servers", what, theirs: without(facts, serverLabelsIgnored), ours: serverFacts(own) },
        count("real servers", what, realServers.length, own.realServers.length),
        {
          kind: "sorry servers",
          what: `${what} sorry server`,
          theirs: without(sorry ?? nothing, sorryLabelsIgnored),
          ours: sorryServer === undefined ? nothing : sorryFacts(sorryServer, own),
        },
        ...realServers.flatMap((theirs, place) => {
          const real = own.realServers[place];
          if (real === undefined) return [];
          return [
            {
              kind: "real servers",
              what: `${what} real server ${place}`,
              theirs: without(theirs, realServerLabelsIgnored),
              ours: realServerFacts(real),
            },
          ];
        }),
      ];
    }),
    count("virtual servers", id, dump.servers.length, virtualServers.length),
    ...checkerSubjects(id, dump, config),
  ];
}

const count = (kind: string, what: string, theirs: number, ours: number): Subject =>
  names(kind, what, [String(theirs)], [String(ours)]);

/** Told of a URL where that is what counts. */
const pieces = ["Virtualhost", "Enable SNI", "SNI name", "tls_compliant"];

function checkerSubjects(id: string, dump: ServerDump, { virtualServers }: Config): Subject[] {
  const ours = virtualServers.flatMap((service) =>
    service.realServers.flatMap((real) =>
      inTheirOrder(real.checkers).map((checker) => ({ of: checkerOf(service, real), checker })),
    ),
  );
  const theirs = dump.checkers.map((checker) => resolveNames(checker, dump));
  return [
    names(
      "checkers",
      id,
      theirs.map(({ of }) => of),
      ours.map(({ of }) => of),
    ),
    ...theirs.flatMap(({ facts, urls }, index) => {
      const own = ours[index]?.checker;
      const what = `${id} checker ${index}`;
      if (own === undefined) return [];
      const ownUrls = "urls" in own ? own.urls : [];
      return [
        {
          kind: "checkers",
          what,
          theirs: without(facts, [...checkerLabelsIgnored, ...pieces]),
          ours: checkerFacts(own),
        },
        count("urls", what, urls.length, ownUrls.length),
        ...urls.flatMap((url, place) => {
          const mine = ownUrls[place];
          if (mine === undefined) return [];
          const told = without(url, ["Virtual host"]);
          return [{ kind: "urls", what: `${what} url ${place}`, theirs: told, ours: urlFacts(mine) }];
        }),
      ];
    }),
  ];
}

/** keepalived adds those that follow files when it has read everything. */
const inTheirOrder = (checkers: readonly CheckerConfig[]): readonly CheckerConfig[] => [
  ...checkers.filter(({ type }) => type !== "FILE_CHECK"),
  ...checkers.filter(({ type }) => type === "FILE_CHECK"),
];
