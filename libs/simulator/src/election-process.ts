// One election process: the real machines of a virtual router or a sync group, in a shell that behaves like the real one:
// one alarm for the earliest deadline, inputs before deadlines (SAFETY S2), one stream to dataplane that reconnects.
import { type Instant, type IpAddress, instant, type Micros, micros, type Term, term } from "@baton/domain";
import {
  awaitsAnswer,
  claimants,
  type ElectionConfig,
  type ElectionState,
  type GroupClaim,
  type GroupState,
  type GroupStep,
  heartbeatInterval,
  type Input,
  initialGroup,
  initialState,
  leaseLength,
  nextDeadline,
  nextGroupDeadline,
  regroup,
  stepGroup,
  type Verdict,
} from "@baton/vrrp";
import { checkHurry, checkProgress } from "./checkers.ts";
import type { Answer, Dataplane } from "./dataplane.ts";
import type { Testimony } from "./hub.ts";
import { Alarm, type LocalTime } from "./local-time.ts";
import { QuorumWatch } from "./quorum-watch.ts";
import type { Random } from "./random.ts";

export interface Advert {
  readonly type: "advert";
  readonly member: number;
  readonly source: IpAddress;
  readonly priority: number;
  readonly advertInterval: Micros;
  readonly wireId: number;
}

/** The machine that it runs on. */
export interface Machine extends LocalTime {
  readonly index: number;
  readonly address: IpAddress;
  readonly dataplane: Dataplane;
  readonly linkUp: boolean;
  readonly random: Random;
  /** The configuration as of now; a process has what it was last told. */
  readonly configs: readonly ElectionConfig[];
  readonly trackers: ReadonlyMap<string, "up" | "down">;
  readonly quorum: Verdict | undefined;
  readonly quorumHold: Micros;
  send(advert: Advert): void;
  /** Over the hub, if there is one. */
  testify(testimony: Testimony): void;
  nonce(): number;
  /** What the real-time clock has jumped beside the others, all in all (SAFETY S11). */
  readonly jumped: number;
  onStep(process: ElectionProcess, step: GroupStep, before: GroupState): void;
  /** Stopped as asked: the process ends. */
  onEnd(process: ElectionProcess): void;
}

/** From one process to another on the same machine. */
export const crossing = { min: 100, max: 1_500 } as const;
const reconnect = { min: 20_000, max: 100_000 } as const;
/** A stalled process finds at most so many packets in its socket; the others are lost. */
const backlogs = [128, 4, 0] as const;

export class ElectionProcess {
  group: GroupState;
  isRunning = true;
  /** Have come to a group of masters by a reload, and not along with them yet: until its own master-down each listens. */
  readonly newcomers = new Set<string>();
  /** What dataplane says does not arrive. */
  losesAnswers = false;
  readonly #machine: Machine;
  #configs: readonly ElectionConfig[];
  #stalledSince: Instant | undefined;
  #backlog = 0;
  #inbox: (() => void)[] = [];
  #soonest: Instant = instant(0);
  #claim: GroupClaim | undefined;
  #stream: number | undefined;
  #wireId = 0;
  #jumpSeen: number;
  /** How often deadlines were acted on at this very moment. */
  #judgements = 0;
  #judgedAt: Instant | undefined;
  /** By member: what was asked last. */
  readonly #questions = new Map<string, { readonly nonce: number; readonly source: IpAddress }>();
  readonly #deadline: Alarm;
  readonly #heartbeat: Alarm;
  readonly #quorum: QuorumWatch;

  constructor(machine: Machine) {
    this.#machine = machine;
    this.#configs = machine.configs;
    this.#jumpSeen = machine.jumped;
    const group = this.#leading().syncGroup ?? "";
    this.group = initialGroup(group, new Map(this.#configs.map((config) => [config.name, initialState(config)])));
    this.#deadline = new Alarm(machine, () => {
      if (this.isRunning && !this.isStalled) this.#judge();
    });
    this.#heartbeat = new Alarm(machine, () => {
      if (this.isRunning && !this.isStalled) this.#tell();
    });
    this.#quorum = new QuorumWatch({
      time: machine,
      hold: machine.quorumHold,
      configs: () => this.#configs,
      isInOffice: (member) => {
        const state = this.group.members.get(member);
        return state !== undefined && isHolding(state);
      },
      feed: (inputs) => {
        if (this.isRunning && !this.isStalled) this.#feed(inputs);
      },
    });
  }

  get now(): Instant {
    return this.#machine.now();
  }

  get router(): number {
    return this.#machine.index;
  }

  get states(): readonly ElectionState[] {
    return [...this.group.members.values()];
  }

  get isStalled(): boolean {
    return this.#stalledSince !== undefined;
  }

  /** `recentResumes`: starts in the last minute (SAFETY S5). */
  start(recentResumes: number): void {
    const { dataplane, linkUp, address, trackers } = this.#machine;
    const connected = dataplane.isRunning;
    const resume = connected ? dataplane.resumeRecord() : undefined;
    if (connected) this.#open();
    this.#quorum.begin(this.#machine.quorum, resume !== undefined);
    this.feedAll({
      type: "startup",
      dataplaneConnected: connected,
      interfaceUp: linkUp,
      primaryAddress: address,
      resume,
      highestTerm: connected ? dataplane.highestTerm : term(0),
      recentResumes,
    });
    for (const [name, status] of trackers) this.#feedTracker(name, status);
  }

  /** SIGKILL. */
  kill(): void {
    this.isRunning = false;
    this.#stalledSince = undefined;
    this.#inbox = [];
    this.#deadline.set(undefined);
    this.#heartbeat.set(undefined);
    this.#quorum.stop();
  }

  stall(): void {
    this.#stalledSince ??= this.now;
    this.#backlog = this.#machine.random.pick(backlogs);
  }

  /** What waits is heard before any deadline is acted on (SAFETY S2). */
  wake(): void {
    const since = this.#stalledSince;
    if (since === undefined || !this.isRunning) return;
    this.#stalledSince = undefined;
    this.feedAll({ type: "stalled", duration: micros(this.now - since) });
    for (const run of this.#inbox.splice(0)) if (this.isRunning) run();
    if (!this.isRunning) return;
    this.#judge();
    this.#tell();
  }

  /** From elsewhere on this machine, a little later; nothing overtakes. */
  tell(input: Input): void {
    this.#soon(() => this.feedAll(input));
  }

  stop(): void {
    this.#run(() => this.feedAll({ type: "shutdown", reason: "stop" }));
  }

  trackerChanged(name: string, status: "up" | "down"): void {
    this.#soon(() => this.#feedTracker(name, status));
  }

  quorumChanged(verdict: Verdict): void {
    this.#soon(() => this.#quorum.report(verdict));
  }

  reload(configs: readonly ElectionConfig[]): void {
    this.#soon(() => {
      // Whoever leaves does so as it is.
      if (this.states.some(({ kind }) => kind === "leaving" || kind === "stopped")) return;
      const { members } = this.group;
      if (configs.length !== members.size || configs.some(({ name }) => !members.has(name))) this.#regroup(configs);
      this.#configs = configs;
      this.#feed(new Map(configs.map((config): [string, Input] => [config.name, { type: "configure", config }])));
    });
  }

  /**
   * Others are in the group from now on, as the real one does it (services/election, unit.ts): who stays goes on as it is,
   * who comes starts, and who goes says farewell. One lease is all that this dataplane knows; it stays the group's.
   */
  #regroup(configs: readonly ElectionConfig[]): void {
    const { members } = this.group;
    const staying = new Set(configs.map(({ name }) => name));
    for (const [name, { kind }] of members) {
      if (staying.has(name)) continue;
      this.newcomers.delete(name);
      if (kind === "master") this.#send(name, 0);
    }
    this.#configs = configs;
    const known = configs.map((config): [string, ElectionState] => [
      config.name,
      members.get(config.name) ?? initialState(config),
    ]);
    this.group = initialGroup(this.group.name, new Map(known));
    for (const [name] of known) if (!members.has(name)) this.newcomers.add(name);
    const { dataplane, linkUp, address } = this.#machine;
    const highest = this.#stream === undefined ? undefined : dataplane.highestTerm;
    this.#feed(regroup(this.group.members, this.states.some(isHolding) ? undefined : highest));
    if (configs.length === 1 && this.states.some(({ groupFault }) => groupFault !== undefined))
      this.feedAll({ type: "group-fault", member: undefined, cause: undefined });
    if (claimants(this.group).length === 0 && !this.states.some(awaitsAnswer)) this.#claim = undefined;
    for (const { name } of configs) {
      if (members.has(name)) continue;
      const startup: Input = {
        type: "startup",
        dataplaneConnected: this.#stream !== undefined,
        interfaceUp: linkUp,
        primaryAddress: address,
        resume: undefined,
        highestTerm: highest ?? term(0),
        recentResumes: 0,
      };
      this.#feed(new Map([[name, startup]]));
    }
  }

  /** The other end of the stream is gone. */
  disconnect(): void {
    if (this.#stream === undefined) return;
    this.#stream = undefined;
    this.tell({ type: "dataplane-disconnected" });
    this.reconnect();
  }

  /** It tries again until somebody answers; a hung dataplane does when it wakes. */
  reconnect(): void {
    const { dataplane, random } = this.#machine;
    this.#machine.at(instant(this.now + random.integer(reconnect.min, reconnect.max)), () =>
      this.#run(() => {
        if (this.#stream !== undefined || !dataplane.isRunning) return;
        this.#open();
        this.feedAll({ type: "dataplane-connected", highestTerm: dataplane.highestTerm });
      }),
    );
  }

  /** Who asks, who answers, and which answer counts, as the real one does it (SAFETY S13). */
  hearTestimony(testimony: Testimony): void {
    this.#run(() => {
      const { kind, member, address: source, nonce } = testimony;
      const config = this.#configs[member];
      const state = config === undefined ? undefined : this.group.members.get(config.name);
      if (config === undefined || state === undefined) return;
      const { name } = config;
      if (kind === "denial") return this.#feed(new Map([[name, { type: "mastership-denied", source }]]));
      if (kind === "question") {
        if (source !== this.#machine.address || isHolding(state) || state.kind === "initialize") return;
        return this.#machine.testify({ ...testimony, kind: "answer" });
      }
      const question = this.#questions.get(name);
      if (question?.nonce !== nonce || question.source !== source) return;
      this.#questions.delete(name);
      this.#feed(new Map([[name, { type: "witness-answered", source }]]));
    });
  }

  hear(advert: Advert): void {
    if (!this.isRunning || (this.isStalled && this.#backlog-- <= 0)) return;
    this.#run(() => this.#hear(advert));
  }

  // --- the shell ---

  #open(): void {
    let stream = -1;
    const take = (answer: Answer): void => {
      if (!this.losesAnswers && stream === this.#stream) this.#soon(() => this.#take(answer));
    };
    const replaced = (): void => {
      if (stream === this.#stream) this.disconnect();
    };
    stream = this.#machine.dataplane.open({ answer: take, replaced });
    this.#stream = stream;
  }

  #leading(): ElectionConfig {
    const [first] = this.#configs;
    if (first === undefined) throw new Error("a router without a virtual router");
    return first;
  }

  #soon(run: () => void): void {
    const delay = this.#machine.random.integer(crossing.min, crossing.max);
    // One stream between two processes: nothing overtakes.
    this.#soonest = instant(Math.max(this.#soonest, this.now + delay));
    this.#machine.at(this.#soonest, () => this.#run(run));
  }

  #run(run: () => void): void {
    if (!this.isRunning) return;
    if (this.isStalled) this.#inbox.push(run);
    else run();
  }

  #hear({ member, source, priority, advertInterval, wireId }: Advert): void {
    const config = this.#configs[member];
    if (config === undefined) return;
    const { version, vrid, addresses, name } = config;
    // The codec's: version 2 has one interval for all.
    if (version === 2 && advertInterval !== config.advertInterval) return;
    const before = this.group.members.get(name);
    const advert = { version, vrid, priority, advertInterval, addresses };
    this.#feed(new Map([[name, { type: "advertisement-received", advert, source, wireId }]]));
    if (priority === 0) checkHurry(this, before, this.group.members.get(name));
  }

  #feedTracker(name: string, status: "up" | "down"): void {
    this.feedAll({ type: "tracker-changed", kind: "script", name, status, cause: undefined });
  }

  #take(answer: Answer): void {
    const claimed = this.#claim;
    // An answer to an older claim says nothing about the present one.
    if (claimed === undefined || claimed.term !== answer.term) return;
    // Nothing is left to be claimed.
    if (answer.type === "released" || answer.type === "refused") this.#claim = undefined;
    this.feedAll(inputOf(answer, claimed));
  }

  feedAll(input: Input): void {
    if (!this.isRunning) return;
    const inputs = new Map<string, Input>();
    for (const { name } of this.#configs) inputs.set(name, input);
    this.#feed(inputs);
  }

  #feed(inputs: ReadonlyMap<string, Input>): void {
    this.#jumpSeen = this.#machine.jumped;
    const before = this.group;
    const done = stepGroup(before, inputs, this.now);
    this.group = done.state;
    this.#testify(before, done);
    let speaks = false;
    for (const { member, effect } of done.effects) {
      if (effect.type !== "send-advertisement") continue;
      speaks = true;
      this.#send(member, effect.priority);
    }
    if (done.claim !== undefined) this.#claim = done.claim;
    this.#machine.onStep(this, done, before);
    if (isStopped(this.group)) {
      this.kill();
      return this.#machine.onEnd(this);
    }
    if (done.claim !== undefined || speaks) this.#tell();
    this.#deadline.set(nextGroupDeadline(this.group));
  }

  #testify(before: GroupState, { state, effects }: GroupStep): void {
    const { address } = this.#machine;
    for (let member = 0; member < this.#configs.length; member++) {
      const name = this.#configs[member]?.name ?? "";
      const was = before.members.get(name);
      const is = state.members.get(name);
      if (was !== undefined && is !== undefined && isHolding(was) && !isHolding(is))
        this.#machine.testify({ kind: "denial", member, address, nonce: 0 });
    }
    for (const { member: name, effect } of effects) {
      if (effect.type !== "ask-witness") continue;
      const nonce = this.#machine.nonce();
      this.#questions.set(name, { nonce, source: effect.source });
      const member = this.#configs.findIndex((config) => config.name === name);
      this.#machine.testify({ kind: "question", member, address: effect.source, nonce });
    }
  }

  #send(member: string, priority: number): void {
    const index = this.#configs.findIndex(({ name }) => name === member);
    const { advertInterval } = this.#leading();
    const { address } = this.#machine;
    const wireId = ++this.#wireId;
    this.#machine.send({ type: "advert", member: index, source: address, priority, advertInterval, wireId });
  }

  /** A frame: at once with every claim and advert, and as a heartbeat (SAFETY S3, S10). */
  #tell(): void {
    const claim = this.#claim;
    if (claim === undefined) return;
    const sentAt = this.now;
    this.#heartbeat.set(instant(sentAt + heartbeatInterval(this.#leading())));
    if (this.#stream === undefined) return;
    const master = this.states.find((state) => "lastAdvertAt" in state);
    const memory = {
      lastAdvertAt: master !== undefined && "lastAdvertAt" in master ? master.lastAdvertAt : instant(0),
      peerHeardAt: (master !== undefined && "peerHeardAt" in master ? master.peerHeardAt : undefined) ?? instant(0),
      priority: master?.effectivePriority ?? 0,
    };
    const length = leaseLength(this.#leading());
    this.#machine.dataplane.receive(this.#stream, { sentAt, claim, length, memory });
  }

  #judge(): void {
    const now = this.now;
    const due = nextGroupDeadline(this.group);
    if (due === undefined || due > now) return;
    const lateness = micros(Math.max(now - due, this.#machine.jumped - this.#jumpSeen));
    const late = new Map<string, Input>();
    for (const [name, state] of this.group.members) {
      if (isDue(state, now)) late.set(name, { type: "deadline-reached", lateness });
    }
    this.#feed(late);
    this.#judgements = this.#judgedAt === now ? this.#judgements + 1 : 1;
    this.#judgedAt = now;
    checkProgress(this, this.#judgements);
  }
}

function isStopped({ members }: GroupState): boolean {
  for (const { kind } of members.values()) if (kind !== "stopped") return false;
  return true;
}

const isHolding = ({ kind }: ElectionState): boolean => kind === "master" || kind === "listening";

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
  if (type === "failed") return { type: "addresses-failed", term: of, sentAt, detail: "" };
  return claimed.state === "hold" || claimed.state === "silent"
    ? { type: "lease-lost", term: of, reason: "released", detail: "" }
    : { type: "addresses-released", term: of };
}
