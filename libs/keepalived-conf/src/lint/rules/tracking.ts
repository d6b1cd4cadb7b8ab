// Trackers: whether what they watch can ever move the addresses, and how fast.
import type { InstanceConfig, TrackScriptConfig } from "../../config.ts";
import { vrrpScript } from "../../keywords/vrrp-script.ts";
import type { Place } from "../../report.ts";
import { block, file, router } from "../example.ts";
import { addressesOf, byInstance, nameOf } from "../pairs.ts";
import {
  type Candidate,
  type Effect,
  effectOf,
  healthySum,
  possiblePriorities,
  reachOf,
  type WeightedTracker,
} from "../priorities.ts";
import type { Finding, InstancePair, LintedFile, LintRule } from "../rule.ts";

const check = block("vrrp_script chk", 'script "/usr/bin/pgrep haproxy"', "interval 2");
const track = (weight: number) => block("track_script", `chk weight ${weight}`);
const tracking = (priority: number, ...lines: readonly string[]) =>
  file(check, router(`priority ${priority}`, ...lines));

const weightWithoutEffect: LintRule = {
  name: "weight-without-effect",
  title: "A tracker whose weight can never move the addresses, given the other router's file",
  severity: "warning",
  why:
    "A weight only changes the priority. The other router takes over when its own priority is higher than what is left, " +
    "and not when both are equal: a backup leaves a master of its own priority alone. One with nopreempt leaves any " +
    "master alone. All combinations of the trackers of both routers were tried, and in none of them does this one " +
    "decide. Make the weight larger than the distance between the priorities, or write weight 0: then a failure is a " +
    "fault, and any other router takes over. It is only told with the files of the other routers: all of them.",
  bad: { text: tracking(110, track(-10)), peer: tracking(100) },
  good: { text: tracking(110, track(-20)), peer: tracking(100) },
  by: "lint",
  check: findWeightsWithoutEffect,
};

function findWeightsWithoutEffect({ pairs, places }: LintedFile): Finding[] {
  /** Of a group's trackers the first member's reason, unless another member is moved: then none. */
  const reasons = new Map<string, { readonly place: Place; readonly message: string | undefined }>();
  for (const others of byInstance(pairs).values()) {
    for (const [tracker, message] of judgeTrackers(others)) {
      const [first] = others;
      const key = `${tracker.group?.name ?? `of ${first?.own.name}`} ${tracker.kind} ${tracker.name}`;
      const known = reasons.get(key);
      if (first === undefined || (known !== undefined && message !== undefined)) continue;
      reasons.set(key, { place: places.tracker(first.own, tracker), message });
    }
  }
  return [...reasons.values()].flatMap(({ place, message }) =>
    message === undefined ? [] : [{ place, message, hint: betterWeight }],
  );
}

const betterWeight =
  "write a weight larger than the distance of the priorities, or weight 0, which makes a failure a fault";

/** Each tracker of an instance with the reason why it never moves the addresses, if so. */
function judgeTrackers(others: readonly InstancePair[]): [WeightedTracker, string | undefined][] {
  const own = others[0]?.ownCandidate;
  if (own === undefined || own.instance.priority === 255) return [];
  const rivals = others.filter(({ other }) => other.preempt);
  const priorities = new Set(rivals.flatMap(({ otherCandidate }) => [...possiblePriorities(otherCandidate)]));
  // In a group a member alone does not move: what it tracks itself is not judged.
  const judged = own.grouped ? own.trackers.filter(({ group }) => group !== undefined) : own.trackers;
  return judged.map((tracker) => {
    if (rivals.length > 0)
      return [tracker, reasonWithoutEffect(own, tracker, effectOf(own, tracker, priorities), rivals)];
    return [
      tracker,
      `${tracker.name} can lower the priority of ${own.instance.name}, but ${namesOf(others)} has nopreempt and leaves any master alone`,
    ];
  });
}

function reasonWithoutEffect(
  own: Candidate,
  tracker: WeightedTracker,
  effect: Effect,
  rivals: readonly InstancePair[],
): string | undefined {
  if (effect === "moves") return undefined;
  const { low, high } = reachOf(own.instance, tracker, healthySum(own) - tracker.well);
  const moves = `${tracker.name} moves the priority of ${own.instance.name} between ${low} and ${high}`;
  return effect === "tie"
    ? `${moves}: at worst it equals that of ${namesOf(rivals)}, and a backup takes over from a lower one only`
    : `${moves}, and never past that of ${namesOf(rivals)}`;
}

const namesOf = (pairs: readonly InstancePair[]): string => pairs.map(nameOf).join(", ");

const weightCut: LintRule = {
  name: "weight-cut",
  title: "A tracker whose weight is cut off at the end of the range of priorities",
  severity: "warning",
  why:
    "Priorities are held within 1 and 254, whatever the weights add up to. Where an instance stands at the end of the " +
    "range already, a weight that leads further does nothing. Choose priorities that leave room for the weights.",
  bad: { text: tracking(254, track(20)) },
  good: { text: tracking(200, track(20)) },
  by: "lint",
  check: ({ candidates, places }) =>
    [...candidates.values()].flatMap((own) => {
      const { instance, trackers } = own;
      return (instance.priority === 255 ? [] : trackers).flatMap((tracker) => {
        if (effectOf(own, tracker, everyPriority) !== "none") return [];
        const message = `the weight of ${tracker.name} does nothing: the priority of ${instance.name} stays within 1 and 254`;
        const hint = "choose a priority that leaves room for the weight";
        return [{ place: places.tracker(instance, tracker), message, hint }];
      });
    }),
};

const everyPriority: ReadonlySet<number> = new Set(Array.from({ length: 254 }, (_, index) => index + 1));

const unusedScript: LintRule = {
  name: "unused-script",
  title: "A vrrp_script that no instance tracks",
  severity: "warning",
  why: "A script that nobody tracks does not run. Name it in a track_script block, or remove it.",
  bad: { text: tracking(100) },
  good: { text: tracking(100, track(-20)) },
  by: "parser",
};

const longTimeout: LintRule = {
  name: "long-timeout",
  title: "A check may take longer than the time until the next one",
  severity: "warning",
  why:
    "A check that still runs when the next one is due delays it, so failures are noticed later than the interval says. " +
    "Make timeout at most interval, and connect_timeout at most delay_loop.",
  bad: {
    text: file(
      block("vrrp_script chk", 'script "/usr/bin/pgrep haproxy"', "interval 2", "timeout 5"),
      router(track(0)),
    ),
  },
  good: {
    text: file(
      block("vrrp_script chk", 'script "/usr/bin/pgrep haproxy"', "interval 2", "timeout 2"),
      router(track(0)),
    ),
  },
  by: "parser",
};

const duplicateScript: LintRule = {
  name: "duplicate-script",
  title: "Two scripts have the same name",
  severity: "warning",
  why: "Only the first one is ever used. Give the other one a name of its own, or remove it.",
  bad: { text: file(check, check, router(track(0))) },
  good: { text: file(check, router(track(0))) },
  by: "parser",
};

const slowCheck: LintRule = {
  name: "slow-check",
  title: "A script takes much longer to notice a failure than the routers take to replace a dead one",
  severity: "info",
  why:
    "A failure is noticed after interval times fall, while a dead router is replaced after about three adverts. A check " +
    "that is many times slower leaves the addresses on a router that cannot serve them. A shorter interval costs little.",
  bad: {
    text: file(block("vrrp_script chk", 'script "/usr/bin/pgrep haproxy"', "interval 30", "fall 3"), router(track(0))),
  },
  good: {
    text: file(block("vrrp_script chk", 'script "/usr/bin/pgrep haproxy"', "interval 2", "fall 3"), router(track(0))),
  },
  by: "lint",
  check: ({ config, places }) => {
    const scripts = new Map(config.scripts.map((script) => [script.name, script]));
    const told = new Set<TrackScriptConfig>();
    return config.instances.flatMap((instance) =>
      instance.trackScripts.flatMap(({ name }) => {
        const script = scripts.get(name);
        if (script === undefined || told.has(script)) return [];
        const noticed = script.interval * script.fall;
        const replaced = instance.downTimerAdverts * instance.advertInterval;
        if (noticed <= slowTimes * replaced) return [];
        told.add(script);
        const message =
          `a failure of ${name} is noticed after ${noticed / 1_000_000} s, ` +
          `while ${instance.name} replaces a dead router after about ${replaced / 1_000_000} s`;
        return [
          { place: places.script(script, vrrpScript.keywords.interval), message, hint: "write a shorter interval" },
        ];
      }),
    );
  },
};

const slowTimes = 10;

const checkOfVirtualAddress: LintRule = {
  name: "check-of-virtual-address",
  title: "A script asks the virtual address itself",
  severity: "warning",
  why:
    "On a backup the address is the master's, so the check says how the master is, and passes or fails on both routers " +
    "at once: the addresses stay where they are, or move to and fro. Check what runs on this machine: localhost, or the " +
    "machine's own address.",
  bad: {
    text: file(block("vrrp_script chk", 'script "/usr/bin/curl -sf http://192.0.2.10/health"'), router(track(0))),
  },
  good: {
    text: file(block("vrrp_script chk", 'script "/usr/bin/curl -sf http://127.0.0.1/health"'), router(track(0))),
  },
  by: "lint",
  check: ({ config, places }) => {
    const scripts = new Map(config.scripts.map((script) => [script.name, script]));
    return config.instances.flatMap((instance) =>
      instance.trackScripts.map(({ name }) => {
        const script = scripts.get(name);
        const address = script && askedAddress(script, instance);
        if (script === undefined || address === undefined) return undefined;
        return {
          place: places.script(script, vrrpScript.keywords.script),
          message: `${name} asks ${address}, a virtual address of ${instance.name}: on a backup that is the master`,
          hint: "ask 127.0.0.1, or the machine's own address",
        };
      }),
    );
  },
};

/** `ip addr show | grep ADDRESS` looks at this machine only. */
const askingPrograms = /^(?:.*\/)?(curl|wget|nc|ncat|netcat|ping|ping6|fping|telnet|dig|check_[a-z_]+)$/;

function askedAddress({ command }: TrackScriptConfig, instance: InstanceConfig): string | undefined {
  const pieces = command.argv.flatMap((word) => word.split(/[\s;|&()]+/));
  if (!pieces.some((piece) => askingPrograms.test(piece))) return undefined;
  const words = new Set(command.argv.flatMap((word) => word.match(/[0-9a-fA-F:.]+/g) ?? []));
  return [...addressesOf(instance)].find(
    (address) => words.has(address) || [...words].some((word) => word.startsWith(`${address}:`)),
  );
}

export const trackingRules: readonly LintRule[] = [
  weightWithoutEffect,
  weightCut,
  unusedScript,
  duplicateScript,
  longTimeout,
  slowCheck,
  checkOfVirtualAddress,
];
