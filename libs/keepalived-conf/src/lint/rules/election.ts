// Who is master: what two routers say of the same virtual router.
import { vrrpInstance } from "../../keywords/vrrp-instance.ts";
import { file, router } from "../example.ts";
import { byInstance, nameOf } from "../pairs.ts";
import { healthyPriority } from "../priorities.ts";
import { type LintRule, perPair } from "../rule.ts";

const { keywords } = vrrpInstance;

const equalPriorities: LintRule = {
  name: "equal-priorities",
  title: "Two routers have the same priority",
  severity: "warning",
  why:
    "Of two masters with the same priority the one with the higher address stays, so the addresses of the machines " +
    "decide who is master, and who gives way after a split. Give each router a priority of its own; what trackers add " +
    "while all is well is counted. With nopreempt on both sides nothing is said: there whoever is master stays.",
  bad: { text: file(router("priority 100")), peer: file(router("priority 100")) },
  good: { text: file(router("priority 110")), peer: file(router("priority 100")) },
  by: "lint",
  check: perPair((pair, { places }) => {
    const { own, other } = pair;
    const priority = healthyPriority(pair.ownCandidate);
    if (priority !== healthyPriority(pair.otherCandidate) || !(own.preempt || other.preempt)) return undefined;
    const wellNote =
      own.priority === priority && other.priority === priority ? "" : " while all that they track is well";
    return {
      place: places.instance(own, keywords.priority),
      message: `${own.name} has priority ${priority}, and so has ${nameOf(pair)}${wellNote}: their addresses decide who is master`,
      hint: "give each router a priority of its own",
    };
  }),
};

const severalMasters: LintRule = {
  name: "several-masters",
  title: "Several routers start as MASTER",
  severity: "warning",
  why:
    "A router with state MASTER waits for one advert only before it takes the addresses, so each start of the one with " +
    "the lower priority may move them to it and back. Write state MASTER on at most one router of a group.",
  bad: { text: file(router("state MASTER", "priority 110")), peer: file(router("state MASTER", "priority 100")) },
  good: { text: file(router("state MASTER", "priority 110")), peer: file(router("state BACKUP", "priority 100")) },
  by: "lint",
  check: perPair((pair, { places }) => {
    const { own, other } = pair;
    if (own.initialState !== "master" || other.initialState !== "master") return undefined;
    return {
      place: places.instance(own, keywords.state),
      message: `${own.name} starts as MASTER, and so does ${nameOf(pair)}`,
      hint: "write state BACKUP on all routers but one",
    };
  }),
};

const masterBelowBackup: LintRule = {
  name: "master-below-backup",
  title: "A router that starts as MASTER has a lower priority than one that starts as BACKUP",
  severity: "warning",
  why:
    "The state is only where a router starts; the priority decides. The BACKUP with the higher priority takes the " +
    "addresses within seconds, so the file reads as if the other one were master. What trackers add while all is well " +
    "is counted. Nothing is said where the BACKUP has nopreempt.",
  bad: { text: file(router("state MASTER", "priority 100")), peer: file(router("state BACKUP", "priority 110")) },
  good: { text: file(router("state MASTER", "priority 110")), peer: file(router("state BACKUP", "priority 100")) },
  by: "lint",
  check: perPair((pair, { places }) => {
    const { own, other } = pair;
    const [here, there] = [healthyPriority(pair.ownCandidate), healthyPriority(pair.otherCandidate)];
    const [master, backup, low, high] =
      own.initialState === "master" ? [own, other, here, there] : [other, own, there, here];
    if (master.initialState === backup.initialState || !backup.preempt || low >= high) return undefined;
    const role = master === own ? `starts as MASTER with priority ${low}` : `starts as BACKUP with priority ${high}`;
    const rival = master === own ? `as BACKUP with ${high}` : `as MASTER with ${low}`;
    return {
      place: places.instance(own, keywords.state),
      message: `${own.name} ${role}, ${nameOf(pair)} ${rival}: the BACKUP takes over at once`,
      hint: "give the higher priority to the router with state MASTER",
    };
  }),
};

const masterWithoutPriority: LintRule = {
  name: "master-without-priority",
  title: "A router with state MASTER has no priority, so it has 255",
  severity: "warning",
  why:
    "255 is for the router that has the addresses as its own: it takes them from any other one at once, whatever delays " +
    "and nopreempt say, and no tracker ever lowers it. keepalived takes it where state MASTER stands without a priority. " +
    "Write one, below 255.",
  bad: { text: file(router("state MASTER")) },
  good: { text: file(router("state MASTER", "priority 110")) },
  by: "lint",
  check: ({ config, places }) =>
    config.instances
      .filter((own) => own.priority === 255 && own.initialState === "master" && !places.has(own, keywords.priority))
      .map((own) => ({
        place: places.instance(own, keywords.state),
        message: `${own.name} has no priority, and as MASTER so 255: that of the owner of the addresses`,
        hint: "write a priority below 255",
      })),
};

const nopreempt: LintRule = {
  name: "nopreempt-ignored",
  title: "nopreempt together with state MASTER",
  severity: "warning",
  why:
    "keepalived ignores nopreempt where state is MASTER, so the router takes the addresses back whenever it starts, " +
    "which is what nopreempt was to prevent. Write state BACKUP on every router; the priority still says who is first.",
  bad: { text: file(router("state MASTER", "priority 110", "nopreempt")) },
  good: { text: file(router("state BACKUP", "priority 110", "nopreempt")) },
  by: "parser",
};

const nopreemptWithoutEffect: LintRule = {
  name: "nopreempt-without-effect",
  title: "nopreempt stands on the router with the lower priority only",
  severity: "warning",
  why:
    "nopreempt keeps a router from taking the addresses of a master with a lower priority. The router with the lowest " +
    "priority never meets one, and the other takes its addresses back as soon as it returns. Write nopreempt, with state " +
    "BACKUP, on the router with the higher priority. Nothing is said where trackers change the priorities.",
  bad: { text: file(router("priority 100", "nopreempt")), peer: file(router("priority 110")) },
  good: { text: file(router("priority 100", "nopreempt")), peer: file(router("priority 110", "nopreempt")) },
  by: "lint",
  check: ({ pairs, places }) =>
    [...byInstance(pairs)].map(([own, others]) => {
      const rival = others.find(({ other }) => other.preempt);
      const steady = others.every(
        ({ ownCandidate, otherCandidate }) => ownCandidate.trackers.length + otherCandidate.trackers.length === 0,
      );
      if (own.preempt || rival === undefined || !steady) return undefined;
      if (others.some(({ other }) => other.priority <= own.priority)) return undefined;
      return {
        place: places.instance(own, keywords.nopreempt),
        message: `nopreempt has no effect here: ${nameOf(rival)} has the higher priority, and takes the addresses back`,
        hint: "write nopreempt and state BACKUP on the router with the higher priority",
      };
    }),
};

export const electionRules: readonly LintRule[] = [
  equalPriorities,
  severalMasters,
  masterBelowBackup,
  masterWithoutPriority,
  nopreempt,
  nopreemptWithoutEffect,
];
