// The tracked quorum in a router's election process, as the real one has it (services/election, inputs/quorums.ts): what
// health has said, weighed for each member by whether it is master, looked at again with each beat.
import { type Instant, instant, type Micros } from "@baton/domain";
import { type ElectionConfig, type Input, type StayPut, startStayPut, type Verdict, weighQuorum } from "@baton/vrrp";
import { Alarm, type LocalTime } from "./local-time.ts";

/** The name of the only virtual server that is tracked here. */
export const trackedServer = "vs";
/** The slowest that the real one beats. */
const beatEvery = 500_000;

export interface QuorumWatchParts {
  readonly time: LocalTime;
  readonly hold: Micros;
  readonly configs: () => readonly ElectionConfig[];
  isInOffice(member: string): boolean;
  feed(inputs: ReadonlyMap<string, Input>): void;
}

export class QuorumWatch {
  readonly #parts: QuorumWatchParts;
  readonly #beat: Alarm;
  #reported: Verdict | undefined;
  #weighed: ReadonlyMap<string, StayPut> = new Map();

  constructor(parts: QuorumWatchParts) {
    this.#parts = parts;
    this.#beat = new Alarm(parts.time, () => {
      this.#look();
      this.#schedule();
    });
  }

  /** Before the start of the members. */
  begin(reported: Verdict | undefined, resumes: boolean): void {
    this.#reported = reported;
    const tracking = this.#parts.configs().flatMap((config) => {
      const tracker = trackerOf(config);
      return tracker === undefined ? [] : [{ name: config.name, weight: tracker.weight }];
    });
    if (tracking.length === 0) return;
    const { hold, time, feed } = this.#parts;
    const facts = { reported, inOffice: resumes, stale: false, hold };
    this.#weighed = new Map(
      tracking.map(({ name, weight }) => {
        const start = startStayPut(resumes ? "resuming" : "starting", weight);
        return [name, weighQuorum(start, facts, time.now())];
      }),
    );
    feed(new Map([...this.#weighed].flatMap(([name, { counted }]) => (counted ? [[name, inputOf(counted)]] : []))));
    this.#schedule();
  }

  report(verdict: Verdict): void {
    this.#reported = verdict;
    this.#look();
  }

  stop(): void {
    this.#beat.set(undefined);
  }

  #schedule(): void {
    this.#beat.set(instant(this.#parts.time.now() + beatEvery) satisfies Instant);
  }

  #look(): void {
    const { hold, time, isInOffice, feed } = this.#parts;
    const before = this.#weighed;
    const now = time.now();
    this.#weighed = new Map(
      [...before].map(([name, state]) => {
        const facts = { reported: this.#reported, inOffice: isInOffice(name), stale: false, hold };
        return [name, weighQuorum(state, facts, now)];
      }),
    );
    const changed = [...this.#weighed].flatMap(([name, { counted }]): [string, Input][] =>
      counted === undefined || counted === before.get(name)?.counted ? [] : [[name, inputOf(counted)]],
    );
    if (changed.length > 0) feed(new Map(changed));
  }
}

const trackerOf = ({ trackers }: ElectionConfig) => trackers.find(({ kind }) => kind === "virtual-server");

const inputOf = (status: Verdict): Input => ({
  type: "tracker-changed",
  kind: "virtual-server",
  name: trackedServer,
  status,
  cause: undefined,
});
