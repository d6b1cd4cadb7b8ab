// The status of the node, now: the read model, with what has no event asked for on the side. Asking costs each service
// a millisecond, so however many ask, it is done once a second.
import type { NodeStatus } from "@baton/contracts";
import type { AggregateKind, ServiceName } from "@baton/domain";
import type { SnapshotAnswer } from "@baton/host";
import { metric } from "@baton/telemetry";
import type { NodeFacts, NodeModel } from "./node-model.ts";

export interface StatusDependencies {
  readonly model: NodeModel;
  facts(): NodeFacts;
  /** Undefined when the service does not answer in so many milliseconds. `kinds`: of its aggregates only these. */
  ask(
    service: ServiceName,
    patience: number,
    kinds: readonly AggregateKind[] | undefined,
  ): Promise<SnapshotAnswer | undefined>;
}

/** Those whose state changes without an event: a lease that is confirmed, a run that is counted, a child that is up. */
export const asked: readonly ServiceName[] = ["supervisor", "election", "health", "dataplane", "balancer"];
const freshMicros = 1_000_000;
/** Milliseconds: somebody sits before a screen. */
const patienceOfPeople = 250;
/** Nobody waits for what is learnt after a reload: thousands of servers take their time to be told of. */
const patienceToLearn = 5_000;
const learnAgainMicros = 5_000_000;

/** What a service is asked for by those who ask each second: its checks and pools, in thousands, it tells by events. */
const brief: Partial<Readonly<Record<ServiceName, readonly AggregateKind[]>>> = { health: ["tracker", "service"] };

export interface StatusQuestion {
  /** Microseconds: what was asked for earlier than that is asked for anew. */
  readonly maxAge?: number;
  /** Milliseconds: a service that takes longer to answer is shown as it was last known. */
  readonly patience?: number;
  /** With what single checks and pools do between events, as how old their last probe is. */
  readonly whole?: boolean;
}

export class NodeStatusSource {
  readonly #dependencies: StatusDependencies;
  readonly #refreshedAt = { brief: Number.NEGATIVE_INFINITY, whole: Number.NEGATIVE_INFINITY };
  readonly #refreshing: { brief?: Promise<void>; whole?: Promise<void> } = {};
  readonly #lessons = new Map<ServiceName, Lesson>();

  constructor(dependencies: StatusDependencies) {
    this.#dependencies = dependencies;
  }

  async current(question: StatusQuestion = {}): Promise<NodeStatus> {
    const { maxAge = freshMicros, patience = patienceOfPeople, whole = false } = question;
    const { model, facts } = this.#dependencies;
    const depth = whole ? "whole" : "brief";
    if (facts().now - this.#refreshedAt[depth] >= maxAge) {
      this.#refreshing[depth] ??= this.#refresh(patience, whole).finally(() => {
        delete this.#refreshing[depth];
      });
      await this.#refreshing[depth];
    }
    return model.status(facts());
  }

  async #refresh(patience: number, whole: boolean): Promise<void> {
    const { model, ask, facts } = this.#dependencies;
    await Promise.all(
      asked
        .filter((service) => model.follows(service))
        .map(async (service) => {
          const kinds = whole ? undefined : brief[service];
          const answer = await ask(service, patience, kinds);
          if (answer === undefined) return;
          model.refresh(service, answer, kinds);
          if (kinds !== undefined) this.#learn(service, generationOf(answer));
        }),
    );
    this.#refreshedAt.brief = facts().now;
    if (whole) this.#refreshedAt.whole = facts().now;
  }

  /**
   * A reload takes servers away, and begins others, without an event for each. What is told of it by events may come later
   * than the first answer, so there are two.
   */
  #learn(service: ServiceName, generation: number | undefined): void {
    const { model, ask, facts } = this.#dependencies;
    const { now } = facts();
    let lesson = this.#lessons.get(service);
    if (lesson === undefined || lesson.generation !== generation) {
      lesson = { generation, left: 2, dueAt: now, pause: learnAgainMicros };
      this.#lessons.set(service, lesson);
    }
    if (lesson.left === 0 || now < lesson.dueAt) return;
    const current = lesson;
    current.dueAt = now + current.pause;
    current.pause *= 2;
    void ask(service, patienceToLearn, undefined).then((answer) => {
      if (answer === undefined || this.#lessons.get(service) !== current) return;
      model.refresh(service, answer);
      current.left--;
      current.dueAt = facts().now + learnAgainMicros;
    });
  }
}

/** Everything of a service, by one configuration. */
interface Lesson {
  readonly generation: number | undefined;
  left: number;
  dueAt: number;
  pause: number;
}

const generationOf = ({ counters }: SnapshotAnswer): number | undefined =>
  counters.find(({ name }) => name === metric.checkGeneration.name)?.value;
