// Who is master: what two routers say of the same virtual router.
import { vrrpInstance } from "../../keywords/vrrp-instance.ts";
import { file, router } from "../example.ts";
import { type InstancePair, type LintRule, perPair } from "../rule.ts";

const { keywords } = vrrpInstance;

/** `VI_1 of b.conf`. */
const theirs = ({ other, peer }: InstancePair): string => `${other.name} of ${peer.source.file}`;

const equalPriorities: LintRule = {
  name: "equal-priorities",
  title: "Two routers have the same priority",
  severity: "warning",
  why:
    "Of two masters with the same priority the one with the higher address stays, so the addresses of the machines " +
    "decide who is master, and after a split the one that gives way is nobody's choice. Give each router a priority " +
    "of its own. With nopreempt on both sides nothing is said: there whoever is master stays.",
  bad: { text: file(router("priority 100")), peer: file(router("priority 100")) },
  good: { text: file(router("priority 110")), peer: file(router("priority 100")) },
  by: "lint",
  check: perPair((pair, { places }) => {
    const { own, other } = pair;
    if (own.priority !== other.priority || !(own.preempt || other.preempt)) return undefined;
    return {
      place: places.instance(own, keywords.priority),
      message: `${own.name} has priority ${own.priority}, and so has ${theirs(pair)}: their addresses decide who is master`,
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
      message: `${own.name} starts as MASTER, and so does ${theirs(pair)}`,
      hint: "write state BACKUP on all routers but one",
    };
  }),
};

const nopreempt: LintRule = {
  name: "nopreempt",
  title: "nopreempt together with state MASTER",
  severity: "warning",
  why:
    "keepalived ignores nopreempt where state is MASTER, so the router takes the addresses back whenever it starts, " +
    "which is what nopreempt was to prevent. Write state BACKUP on every router; the priority still says who is first.",
  bad: { text: file(router("state MASTER", "priority 110", "nopreempt")) },
  good: { text: file(router("state BACKUP", "priority 110", "nopreempt")) },
  by: "parser",
};

export const electionRules: readonly LintRule[] = [equalPriorities, severalMasters, nopreempt];
