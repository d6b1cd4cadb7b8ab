// What a run is put through, all of it drawn from its seed: routers and their configurations, a storm of faults (or a day of
// a real fleet, on which now and then something fails), and what is done to the group once it has settled.
import { type IpAddress, micros, parseIp, priority, vrid } from "@baton/domain";
import type { ElectionConfig } from "@baton/vrrp";
import type { HubKind } from "./hub.ts";
import type { Random } from "./random.ts";

const second = 1_000_000;

export const faults = [
  "link-down",
  "partition",
  "one-way",
  "loss",
  "slow",
  "stall-election",
  "stall-dataplane",
  "pause",
  "crash-election",
  "crash-dataplane",
  "crash-all",
  "stop",
  "tracker-down",
  "tracker-flap",
  "tracker-stale",
  "reload-priority",
  "reload-times",
  "stall-all",
  "pause-all",
  "clock-step",
  "lost-answers",
  "address-failure",
  "second-election",
  "power-cut",
  "slander",
] as const;
/** `reload-members`: of a sync group there are more or fewer from now on. */
export type FaultKind = (typeof faults)[number] | "reload-members";

export interface Fault {
  readonly what: FaultKind;
  /** In microseconds from the start of its episode. */
  readonly at: number;
  readonly until: number;
  readonly router: number;
  readonly other: number;
  /** 0 up to 1: how bad, where there is a choice. */
  readonly size: number;
}

/** What happens to the settled group. */
export const finales = [
  "nothing",
  "stop",
  "stop-unheard",
  "crash-all",
  "power-cut",
  "link-down",
  "hang-dataplane",
  "second-election",
  "crash-election",
  "crash-dataplane",
  "stall-backup",
  "pause-backup",
  "stall-all",
  "pause-all",
  "cut",
  "slander",
] as const;
export type Finale = (typeof finales)[number];

/** Faults, then calm, in which the group must settle, and then some time in which nothing happens. */
export interface Episode {
  readonly faults: readonly Fault[];
  /** When everything is repaired, in microseconds from the start of the episode. */
  readonly calmAt: number;
  /** Microseconds; 0: the next thing follows at once. */
  readonly quiet: number;
  /** Step through the quiet too, instead of passing over it. */
  readonly watched: boolean;
}

/** `regroup`: a storm in which reloads change who is in the sync group, too. */
export type Weather = "storm" | "day" | "regroup";

export interface Scenario {
  readonly seed: number;
  /** One list of members for each router; several members are a sync group. */
  readonly routers: readonly (readonly ElectionConfig[])[];
  /** Parts per million that each router's clock is off, and what it shows at the start. */
  readonly clocks: readonly { readonly startsAt: number; readonly partsPerMillion: number }[];
  readonly startsAt: readonly number[];
  readonly episodes: readonly Episode[];
  readonly hub: HubKind;
  readonly finale: Finale;
}

const address = (text: string): IpAddress => {
  const parsed = parseIp(text);
  if (parsed === undefined) throw new Error(`no address: ${text}`);
  return parsed;
};

export function drawScenario(weather: Weather, seed: number, random: Random): Scenario {
  const storm = drawStorm(seed, random);
  if (weather === "storm") return storm;
  if (weather === "regroup") return withRegroupings(storm, random);
  return { ...storm, episodes: drawDay(random, storm.routers) };
}

const membersMax = 3;

/** Another number of members, each as the first is but for what is its own. */
export function withMembers(configs: readonly ElectionConfig[], count: number): readonly ElectionConfig[] {
  const [first] = configs;
  if (first === undefined) return [];
  return Array.from({ length: count }, (_, member) => ({
    ...(configs[member] ?? { ...first, ...ownOf(member), trackers: [] }),
    syncGroup: "VG",
  }));
}

const ownOf = (member: number): Pick<ElectionConfig, "name" | "vrid" | "addresses"> => ({
  name: `VI_${member + 1}`,
  vrid: vrid(51 + member),
  addresses: [address(`10.0.0.${100 + member}`)],
});

function withRegroupings(storm: Scenario, random: Random): Scenario {
  const episodes = storm.episodes.map((episode) => {
    const regroupings = Array.from({ length: random.integer(1, 4) }, (): Fault => {
      const at = random.integer(0, episode.calmAt);
      return {
        ...drawFault(random, storm.routers.length, at, random.integer(at, episode.calmAt)),
        what: "reload-members",
      };
    });
    return { ...episode, faults: [...episode.faults, ...regroupings] };
  });
  return { ...storm, episodes, routers: storm.routers.map((configs) => withMembers(configs, configs.length)) };
}

/** How many there are after a `reload-members` of that size. */
export const membersAfter = ({ size }: Fault): number => 1 + Math.floor(size * membersMax);

function drawStorm(seed: number, random: Random): Scenario {
  const version = random.pick<2 | 3>([2, 3, 3]);
  const advertInterval = version === 2 ? random.pick([1, 1, 2, 5]) * second : random.pick([0.1, 0.2, 1, 1, 2]) * second;
  const common: Omit<ElectionConfig, "name" | "vrid" | "addresses" | "priority" | "syncGroup"> = {
    interface: "eth0",
    family: 4,
    version,
    initialState: "backup",
    advertInterval: micros(advertInterval),
    downTimerAdverts: random.pick([3, 3, 3, 2, 4]),
    preempt: random.chance(0.8),
    preemptDelay: micros(random.chance(0.15) ? random.integer(1, 5) * second : 0),
    trackers: random.chance(0.4)
      ? [{ kind: "script", name: "chk", weight: random.pick([0, -20, 20, -60]), reverse: false }]
      : [],
    trackPrimary: true,
    lowerPriorityNoAdvert: random.chance(0.1),
    higherPrioritySendAdvert: random.chance(0.1),
  };
  const members = random.pick([1, 1, 1, 2, 3]);
  // Not all alike, as real ones are not; in version 3 even the intervals may differ.
  const differ = random.chance(0.15);
  const routers = Array.from({ length: random.integer(2, 4) }, (_, router) => {
    const base = random.chance(0.05) && router === 0 ? 255 : random.chance(0.1) ? 100 : random.integer(1, 254);
    const own = differ ? { ...common, ...drawTimes(random, common), preempt: random.chance(0.5) } : common;
    return Array.from(
      { length: members },
      (_, member): ElectionConfig => ({
        ...own,
        ...ownOf(member),
        syncGroup: members > 1 ? "VG" : undefined,
        // A fault of one member alone: the others must follow.
        trackers: member === 0 ? own.trackers : [],
        priority: priority(base),
        preempt: own.preempt || base === 255,
      }),
    );
  });
  const calmAt = Math.round(advertInterval * random.integer(20, 120));
  return {
    seed,
    routers,
    clocks: routers.map(() => ({
      startsAt: random.integer(0, 1_000_000) * second,
      partsPerMillion: random.integer(-500, 500),
    })),
    startsAt: routers.map(() => random.integer(0, 3 * advertInterval)),
    episodes: [
      { faults: drawFaults(random, routers.length, advertInterval, calmAt), calmAt, quiet: 0, watched: false },
    ],
    finale: random.pick(finales),
    hub: random.pick<HubKind>(["none", "good", "good", "bad"]),
  };
}

export type Times = Pick<ElectionConfig, "advertInterval" | "downTimerAdverts" | "preemptDelay">;

/** Other times for the same group, as a reload may bring them. Version 2 needs one interval for all. */
function drawTimes(
  random: Random,
  { version, advertInterval }: Pick<ElectionConfig, "version" | "advertInterval">,
): Times {
  return {
    advertInterval: micros(version === 2 ? advertInterval : Math.round(advertInterval * random.pick([0.5, 1, 1, 2]))),
    downTimerAdverts: random.pick([3, 3, 2, 4]),
    preemptDelay: micros(random.chance(0.2) ? random.integer(1, 3) * second : 0),
  };
}

/** For all routers together: in version 2 the interval may change too. */
export function drawReload(random: Random, config: ElectionConfig): Times {
  const times = drawTimes(random, config);
  if (config.version === 3) return times;
  return { ...times, advertInterval: micros(random.pick([1, 2, 3]) * second) };
}

function drawFaults(random: Random, routers: number, advertInterval: number, calmAt: number): Fault[] {
  const count = random.chance(0.1) ? 0 : random.integer(1, 12);
  return Array.from({ length: count }, () => {
    const at = random.integer(0, calmAt);
    const length = Math.round(advertInterval * 10 ** (random.next() * 3 - 1.5));
    return drawFault(random, routers, at, Math.min(at + length, calmAt));
  });
}

function drawFault(random: Random, routers: number, at: number, until: number): Fault {
  const router = random.integer(0, routers - 1);
  return {
    what: random.pick(faults),
    at,
    until,
    router,
    other: (router + random.integer(1, routers - 1)) % routers,
    size: random.next(),
  };
}

const dayLength = 86_400 * second;
/** The longest that anything lasts which somebody has to come for. */
const longestOutage = 600 * second;

/** Up to twelve times a day something happens, once or a few times together, for milliseconds or for minutes. */
function drawDay(random: Random, routers: Scenario["routers"]): Episode[] {
  const advertInterval = routers[0]?.[0]?.advertInterval ?? second;
  const count = random.integer(1, 12);
  return Array.from({ length: count }, () => {
    const drawn = Array.from({ length: random.pick([1, 1, 2, 3]) }, () => {
      const at = random.integer(0, 30 * advertInterval);
      const length = random.chance(0.3)
        ? random.integer(second, longestOutage)
        : Math.round(advertInterval * 10 ** (random.next() * 3 - 1.5));
      return drawFault(random, routers.length, at, at + length);
    });
    return {
      faults: drawn,
      calmAt: Math.max(...drawn.map(({ until }) => until)),
      quiet: random.integer(0, Math.round((2 * dayLength) / count)),
      watched: random.chance(0.02),
    };
  });
}
