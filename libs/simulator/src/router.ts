// One router: the real election machines of a virtual router or a sync group, in a shell that behaves like the real one
// (inputs before deadlines, SAFETY S2), with a dataplane, a link, a clock of its own, and everything that can go wrong.
import { type Instant, type IpAddress, instant, type Micros, micros, parseIp, type Term, term } from "@baton/domain";
import {
  type ElectionConfig,
  type ElectionState,
  type GroupClaim,
  type GroupState,
  type GroupStep,
  heartbeatInterval,
  type Input,
  initialGroup,
  initialState,
  nextDeadline,
  nextGroupDeadline,
  type ResumeRecord,
  stepGroup,
} from "@baton/vrrp";
import type { Clock } from "./clock.ts";
import { type Answer, Dataplane } from "./dataplane.ts";
import type { Random } from "./random.ts";
import type { Timeline } from "./timeline.ts";

export type Packet =
  | {
      readonly type: "advert";
      readonly member: number;
      readonly source: IpAddress;
      readonly priority: number;
      readonly advertInterval: Micros;
      readonly wireId: number;
    }
  /** The gratuitous ARPs of all addresses of the unit. */
  | { readonly type: "announcement" };

export interface RouterParts {
  readonly index: number;
  readonly timeline: Timeline;
  readonly clock: Clock;
  readonly random: Random;
  readonly configs: readonly ElectionConfig[];
  send(packet: Packet): void;
  /** After every step of the election, for the checkers. */
  onStep(router: Router, step: GroupStep, before: GroupState): void;
  onAnswers(router: Router): void;
}

const second = 1_000_000;
/** From one process to another on the same machine. */
const crossing = { min: 100, max: 1_500 } as const;
/** A stalled process finds at most so many packets in its socket; the others are lost. */
const backlogs = [128, 4, 0] as const;

export class Router {
  readonly index: number;
  readonly address: IpAddress;
  readonly clock: Clock;
  readonly dataplane: Dataplane;
  group: GroupState;
  linkUp = true;
  /** The election process runs; a stalled one does, but nothing moves in it. */
  isRunning = false;
  readonly #parts: RouterParts;
  #configs: readonly ElectionConfig[];
  #trackers: Map<string, "up" | "down"> = new Map();
  #stalled = false;
  #stalledSince: Instant = instant(0);
  #isWanted = false;
  #soonest: Instant = instant(0);
  #backlog = 0;
  #inbox: (() => void)[] = [];
  #asleep: (() => void)[] = [];
  #life = 0;
  #claim: GroupClaim | undefined;
  #wireId = 0;
  /** What the real-time clock jumped since the election last ran (SAFETY S11). */
  #jump = 0;
  #starts: Instant[] = [];

  constructor(parts: RouterParts) {
    const address = parseIp(`10.0.0.${parts.index + 1}`);
    if (address === undefined) throw new Error(`no address for router ${parts.index}`);
    this.index = parts.index;
    this.address = address;
    this.clock = parts.clock;
    this.#parts = parts;
    this.#configs = parts.configs;
    this.group = this.#fresh();
    this.dataplane = new Dataplane(
      {
        now: () => this.clock.now(),
        at: (when, run) => this.#at(when, run),
        answer: (answer) => this.#soon(() => this.#take(answer)),
        announce: () => {
          if (this.linkUp) parts.send({ type: "announcement" });
        },
        onChange: () => parts.onAnswers(this),
      },
      parts.random.fork(),
      this.#leading(),
    );
  }

  // --- what the checkers ask ---

  get answers(): boolean {
    return this.dataplane.answers && this.linkUp && !this.clock.isPaused;
  }

  /** Traffic that is on its way here already is served; a paused machine serves nobody, but nobody sees that either. */
  get holds(): boolean {
    return this.dataplane.holds && this.linkUp && !this.clock.isPaused;
  }

  get isMaster(): boolean {
    return this.isRunning && [...this.group.members.values()].some(({ kind }) => kind === "master");
  }

  /** It runs, has a link and a dataplane, and no member has a fault of its own. */
  get isHealthy(): boolean {
    const states = [...this.group.members.values()];
    return (
      this.isRunning &&
      !this.#stalled &&
      !this.clock.isPaused &&
      this.linkUp &&
      this.dataplane.isRunning &&
      states.every(({ kind }) => kind === "backup" || kind === "master" || kind === "listening")
    );
  }

  get effectivePriority(): number {
    return Math.min(...[...this.group.members.values()].map((state) => state.effectivePriority));
  }

  // --- what happens to it ---

  /** One that is leaving starts again when it has left. */
  start(): void {
    this.#isWanted = true;
    if (this.isRunning) return;
    this.isRunning = true;
    this.#life++;
    this.group = this.#fresh();
    this.#claim = undefined;
    const now = this.clock.now();
    this.#starts = [...this.#starts.filter((at) => now - at < 60 * second), now];
    const resume = this.dataplane.isRunning ? this.dataplane.resumeRecord() : undefined;
    this.#feedAll(this.#startup(resume));
    for (const name of this.#trackers.keys()) this.#feedTracker(name);
    this.#heartbeat(this.#life);
  }

  /** SIGKILL of the election alone. */
  crash(): void {
    this.isRunning = false;
    this.#stalled = false;
    this.#inbox = [];
    this.#life++;
  }

  crashDataplane(): void {
    this.dataplane.crash();
    this.#soon(() => this.#feedAll({ type: "dataplane-disconnected" }));
  }

  restartDataplane(): void {
    if (this.dataplane.isRunning) return;
    this.dataplane.restart();
    this.#soon(() => this.#feedAll({ type: "dataplane-connected", highestTerm: this.dataplane.highestTerm }));
  }

  stop(): void {
    this.#isWanted = false;
    this.#run(() => this.#feedAll({ type: "shutdown", reason: "stop" }));
  }

  setLink(up: boolean): void {
    if (this.linkUp === up) return;
    this.linkUp = up;
    this.#parts.onAnswers(this);
    this.#soon(() => this.#feedAll({ type: "interface-changed", up: this.linkUp }));
  }

  setTracker(name: string, status: "up" | "down"): void {
    this.#trackers.set(name, status);
    this.#soon(() => this.#feedTracker(name));
  }

  reload(configs: readonly ElectionConfig[]): void {
    this.#configs = configs;
    this.#soon(() => {
      for (const config of configs) this.#feed(new Map([[config.name, { type: "configure", config }]]));
    });
  }

  get configs(): readonly ElectionConfig[] {
    return this.#configs;
  }

  stall(): void {
    this.#stalled = true;
    this.#stalledSince = this.clock.now();
    this.#backlog = this.#parts.random.pick(backlogs);
  }

  /** What waits is heard before any deadline is acted on (SAFETY S2). */
  wake(): void {
    if (!this.#stalled) return;
    this.#stalled = false;
    const duration = micros(this.clock.now() - this.#stalledSince);
    this.#feedAll({ type: "stalled", duration });
    for (const run of this.#inbox.splice(0)) run();
    this.#judge();
  }

  pause(): void {
    this.clock.pause();
    this.#parts.onAnswers(this);
  }

  resume(): void {
    if (!this.clock.isPaused) return;
    this.#jump += this.clock.resume();
    for (const run of this.#asleep.splice(0)) run();
    this.#parts.onAnswers(this);
  }

  receive(packet: Packet): void {
    // A machine that is paused or off the network hears nothing; a process that is not there has no socket.
    if (!this.linkUp || this.clock.isPaused) return;
    if (packet.type === "announcement") return this.dataplane.hearAnnouncement();
    if (!this.isRunning || (this.#stalled && this.#backlog-- <= 0)) return;
    this.#run(() => this.#hear(packet));
  }

  // --- the shell ---

  #end(): void {
    this.crash();
    if (this.#isWanted) this.#at(instant(this.clock.now() + crossing.max), () => this.start());
  }

  #fresh(): GroupState {
    const group = this.#leading().syncGroup ?? "";
    return initialGroup(group, new Map(this.#configs.map((config) => [config.name, initialState(config)])));
  }

  #leading(): ElectionConfig {
    const [first] = this.#configs;
    if (first === undefined) throw new Error("a router without a virtual router");
    return first;
  }

  #startup(resume: ResumeRecord | undefined): Input {
    const connected = this.dataplane.isRunning;
    return {
      type: "startup",
      dataplaneConnected: connected,
      interfaceUp: this.linkUp,
      primaryAddress: this.address,
      resume,
      highestTerm: connected ? this.dataplane.highestTerm : term(0),
      recentResumes: this.#starts.length - 1,
    };
  }

  /** At a time of this router's clock; what falls into a pause of the machine happens after it. */
  #at(when: Instant, run: () => void): void {
    this.#parts.timeline.at(this.clock.when(when), () => {
      if (this.clock.isPaused) this.#asleep.push(() => this.#at(when, run));
      else if (this.clock.now() < when) this.#at(when, run);
      else run();
    });
  }

  #soon(run: () => void): void {
    const life = this.#life;
    const delay = this.#parts.random.integer(crossing.min, crossing.max);
    // One stream between two processes: nothing overtakes.
    this.#soonest = instant(Math.max(this.#soonest, this.clock.now() + delay));
    this.#at(this.#soonest, () => {
      if (life === this.#life) this.#run(run);
    });
  }

  #run(run: () => void): void {
    if (!this.isRunning) return;
    if (this.#stalled) this.#inbox.push(run);
    else run();
  }

  #hear(packet: Extract<Packet, { type: "advert" }>): void {
    const config = this.#configs[packet.member];
    if (config === undefined) return;
    const { version, vrid, addresses, name } = config;
    const { source, priority, advertInterval, wireId } = packet;
    const advert = { version, vrid, priority, advertInterval, addresses };
    this.#feed(new Map([[name, { type: "advertisement-received", advert, source, wireId }]]));
  }

  #feedTracker(name: string): void {
    const status = this.#trackers.get(name);
    if (status !== undefined)
      this.#feedAll({ type: "tracker-changed", kind: "script", name, status, cause: undefined });
  }

  #take(answer: Answer): void {
    const claimed = this.#claim;
    // An answer to an older claim says nothing about the present one.
    if (claimed === undefined || claimed.term !== answer.term) return;
    this.#feedAll(inputOf(answer, claimed));
  }

  #feedAll(input: Input): void {
    this.#feed(new Map(this.#configs.map(({ name }) => [name, input])));
  }

  #feed(inputs: ReadonlyMap<string, Input>): void {
    this.#jump = 0;
    const before = this.group;
    const done = stepGroup(before, inputs, this.clock.now());
    this.group = done.state;
    for (const { member, effect } of done.effects) {
      if (effect.type === "send-advertisement") this.#send(member, effect.priority);
    }
    if (done.claim !== undefined) this.#claim = done.claim;
    this.#parts.onStep(this, done, before);
    // Stopped as asked: the process ends.
    if ([...done.state.members.values()].every(({ kind }) => kind === "stopped")) this.#end();
    if (done.claim !== undefined || done.effects.some(({ effect }) => effect.type === "send-advertisement"))
      this.#tell();
    this.#arm();
  }

  #send(member: string, priority: number): void {
    if (!this.linkUp) return;
    const index = this.#configs.findIndex(({ name }) => name === member);
    const { advertInterval } = this.#leading();
    const wireId = ++this.#wireId;
    this.#parts.send({ type: "advert", member: index, source: this.address, priority, advertInterval, wireId });
  }

  #tell(): void {
    const claim = this.#claim;
    if (claim === undefined) return;
    const sentAt = this.clock.now();
    const master = [...this.group.members.values()].find((state) => "lastAdvertAt" in state);
    const memory = {
      lastAdvertAt: master !== undefined && "lastAdvertAt" in master ? master.lastAdvertAt : instant(0),
      peerHeardAt: (master !== undefined && "peerHeardAt" in master ? master.peerHeardAt : undefined) ?? instant(0),
      priority: master?.effectivePriority ?? 0,
    };
    this.dataplane.receive({ sentAt, claim, memory });
  }

  #heartbeat(life: number): void {
    this.#at(instant(this.clock.now() + heartbeatInterval(this.#leading())), () => {
      if (life !== this.#life) return;
      if (!this.#stalled) this.#tell();
      this.#heartbeat(life);
    });
  }

  #arm(): void {
    const due = nextGroupDeadline(this.group);
    const life = this.#life;
    if (due !== undefined)
      this.#at(due, () => (life === this.#life && this.isRunning && !this.#stalled ? this.#judge() : undefined));
  }

  #judge(): void {
    const now = this.clock.now();
    const due = nextGroupDeadline(this.group);
    if (due === undefined || due > now) return;
    const lateness = micros(Math.max(now - due, this.#jump));
    const late = [...this.group.members].filter(([, state]) => isDue(state, now)).map(([name]) => name);
    this.#feed(new Map(late.map((name): [string, Input] => [name, { type: "deadline-reached", lateness }])));
  }
}

const isDue = (state: ElectionState, now: Instant): boolean => {
  const due = nextDeadline(state);
  return due !== undefined && due <= now;
};

function inputOf(
  { type, term: of, sentAt }: Answer,
  claimed: { readonly state: GroupClaim["state"]; readonly term: Term },
): Input {
  if (type === "held") return { type: "lease-confirmed", term: of, sentAt };
  if (type === "applying") return { type: "lease-applying", term: of, sentAt };
  if (type === "refused") return { type: "lease-lost", term: of, reason: "refused", detail: "" };
  return claimed.state === "hold" || claimed.state === "silent"
    ? { type: "lease-lost", term: of, reason: "released", detail: "" }
    : { type: "addresses-released", term: of };
}
