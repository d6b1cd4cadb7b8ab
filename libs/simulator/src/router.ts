// One router: a machine with a clock, a link, a dataplane and an election process on it (for a while two, when a
// supervisor errs), and everything that can go wrong with each.
import { type Instant, type IpAddress, instant, type Micros, micros, parseIp } from "@baton/domain";
import type { ElectionConfig, ElectionState, GroupState, GroupStep, Verdict } from "@baton/vrrp";
import type { Clock } from "./clock.ts";
import { Dataplane } from "./dataplane.ts";
import { type Advert, crossing, ElectionProcess, type Machine } from "./election-process.ts";
import type { Testimony } from "./hub.ts";
import type { Random } from "./random.ts";
import type { Timeline } from "./timeline.ts";

export type Packet =
  | Advert
  /** The gratuitous ARPs of all addresses of the unit. */
  | { readonly type: "announcement" };

export interface RouterParts {
  readonly index: number;
  readonly timeline: Timeline;
  readonly clock: Clock;
  readonly random: Random;
  readonly configs: readonly ElectionConfig[];
  /** Of the virtual server that its configuration tracks (quorum-watch.ts). */
  readonly quorumHold?: Micros;
  send(packet: Packet): void;
  testify?(testimony: Testimony): void;
  nonce?(): number;
  /** After every step of an election, for the checkers. */
  onStep(router: Router, process: ElectionProcess, step: GroupStep, before: GroupState): void;
  onAnswers(router: Router): void;
}

const second = 1_000_000;

export class Router implements Machine {
  readonly index: number;
  readonly address: IpAddress;
  readonly clock: Clock;
  readonly dataplane: Dataplane;
  readonly trackers: Map<string, "up" | "down"> = new Map();
  /** What health says of the tracked virtual server; undefined: nothing yet. */
  quorum: Verdict | undefined;
  readonly quorumHold: Micros;
  linkUp = true;
  /** What the real-time clock has jumped beside the others (SAFETY S11). */
  jumped = 0;
  configs: readonly ElectionConfig[];
  readonly random: Random;
  readonly #parts: RouterParts;
  #processes: ElectionProcess[] = [];
  #isWanted = false;
  #asleep: (() => void)[] = [];
  #starts: Instant[] = [];

  constructor(parts: RouterParts) {
    const address = parseIp(`10.0.0.${parts.index + 1}`);
    const [leading] = parts.configs;
    if (address === undefined || leading === undefined) throw new Error(`router ${parts.index} cannot be`);
    this.index = parts.index;
    this.address = address;
    this.clock = parts.clock;
    this.random = parts.random;
    this.#parts = parts;
    this.configs = parts.configs;
    this.quorumHold = parts.quorumHold ?? micros(0);
    this.dataplane = new Dataplane(
      {
        now: () => this.now(),
        at: (when, run) => this.at(when, run),
        announce: () => {
          if (this.linkUp) parts.send({ type: "announcement" });
        },
        onChange: () => parts.onAnswers(this),
      },
      parts.random.fork(),
      leading,
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

  get states(): readonly ElectionState[] {
    return this.#processes.flatMap(({ states }) => states);
  }

  get isMaster(): boolean {
    return this.states.some(({ kind }) => kind === "master");
  }

  /** It runs, has a link and a dataplane, no member has a fault of its own, and none is behind the others. */
  get isHealthy(): boolean {
    return (
      this.#processes.length === 1 &&
      this.#processes.every(({ isStalled, newcomers }) => !isStalled && newcomers.size === 0) &&
      !this.clock.isPaused &&
      this.linkUp &&
      this.dataplane.isRunning &&
      this.states.every(({ kind }) => kind === "backup" || kind === "master" || kind === "listening")
    );
  }

  /** The kernel's lease counts from the last advert, as the peers do. */
  get isRenewed(): boolean {
    const { renewedFor } = this.dataplane;
    return this.states.every((state) => !("lastAdvertAt" in state) || state.lastAdvertAt <= renewedFor);
  }

  // --- what happens to it ---

  /** One that is leaving starts again when it has left. */
  start(): void {
    this.#isWanted = true;
    if (this.#processes.length === 0) this.startAnother();
  }

  /** Whether or not one runs already: the supervisor thinks that it has ended the former (SAFETY S5, S19). */
  startAnother(): void {
    const now = this.clock.now();
    this.#starts = [...this.#starts.filter((at) => now - at < 60 * second), now];
    const process = new ElectionProcess(this);
    this.#processes = [...this.#processes, process];
    process.start(this.#starts.length - 1);
  }

  /** What an erring supervisor left running besides the newest. */
  killOlder(): void {
    for (const process of this.#processes.slice(0, -1)) process.kill();
    this.#processes = this.#processes.slice(-1);
  }

  /** SIGKILL of the election alone. */
  crash(): void {
    for (const process of this.#processes) process.kill();
    this.#processes = [];
  }

  crashDataplane(): void {
    this.dataplane.crash();
    for (const process of this.#processes) process.disconnect();
  }

  restartDataplane(): void {
    if (this.dataplane.isRunning) return;
    this.dataplane.restart();
    for (const process of this.#processes) process.reconnect();
  }

  /** Every process and the kernel at once; it comes back as from a boot, but for its clock. */
  powerOff(): void {
    this.crash();
    this.dataplane.powerOff();
    this.#starts = [];
  }

  stop(): void {
    this.#isWanted = false;
    for (const process of this.#processes) process.stop();
  }

  setLink(up: boolean): void {
    if (this.linkUp === up) return;
    this.linkUp = up;
    this.#parts.onAnswers(this);
    for (const process of this.#processes) process.tell({ type: "interface-changed", up });
  }

  setTracker(name: string, status: "up" | "down"): void {
    this.trackers.set(name, status);
    for (const process of this.#processes) process.trackerChanged(name, status);
  }

  setQuorum(verdict: Verdict): void {
    this.quorum = verdict;
    for (const process of this.#processes) process.quorumChanged(verdict);
  }

  reload(configs: readonly ElectionConfig[]): void {
    this.configs = configs;
    const [leading] = configs;
    if (leading !== undefined) this.dataplane.configure(leading);
    for (const process of this.#processes) process.reload(configs);
  }

  /** Nobody confirms what the tracker last said (SAFETY S15). */
  setStale(name: string, stale: boolean): void {
    for (const process of this.#processes) process.tell({ type: "tracker-stale", kind: "script", name, stale });
  }

  stall(): void {
    for (const process of this.#processes) process.stall();
  }

  wake(): void {
    for (const process of this.#processes) process.wake();
  }

  loseAnswers(lost: boolean): void {
    for (const process of this.#processes) process.losesAnswers = lost;
  }

  pause(): void {
    this.clock.pause();
    this.#parts.onAnswers(this);
  }

  resume(): void {
    if (!this.clock.isPaused) return;
    this.jumped += this.clock.resume();
    for (const run of this.#asleep.splice(0)) run();
    this.#parts.onAnswers(this);
  }

  receive(packet: Packet): void {
    // A machine that is paused or off the network hears nothing; a process that is not there has no socket.
    if (!this.linkUp || this.clock.isPaused) return;
    if (packet.type === "announcement") return this.dataplane.hearAnnouncement();
    for (const process of this.#processes) process.hear(packet);
  }

  /** At a time of this router's clock; what falls into a pause of the machine happens after it. */
  at(when: Instant, run: () => void): void {
    this.#parts.timeline.at(this.clock.when(when), () => {
      if (this.clock.isPaused) this.#asleep.push(() => this.at(when, run));
      else if (this.clock.now() < when) this.at(when, run);
      else run();
    });
  }

  now(): Instant {
    return this.clock.now();
  }

  send(advert: Advert): void {
    if (this.linkUp) this.#parts.send(advert);
  }

  testify(testimony: Testimony): void {
    this.#parts.testify?.(testimony);
  }

  nonce(): number {
    return this.#parts.nonce?.() ?? 0;
  }

  /** Over another network: the link does not matter. A machine that is paused reads it when it runs again. */
  receiveTestimony(testimony: Testimony): void {
    if (this.clock.isPaused) this.#asleep.push(() => this.receiveTestimony(testimony));
    else for (const process of this.#processes) process.hearTestimony(testimony);
  }

  onStep(process: ElectionProcess, step: GroupStep, before: GroupState): void {
    this.#parts.onStep(this, process, step, before);
  }

  onEnd(process: ElectionProcess): void {
    this.#processes = this.#processes.filter((each) => each !== process);
    if (this.#isWanted) this.at(instant(this.clock.now() + crossing.max), () => this.start());
  }
}
