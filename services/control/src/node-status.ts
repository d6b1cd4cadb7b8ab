// The status of the node, now: the read model, with what has no event asked for on the side. Asking costs each service
// a millisecond, so however many ask, it is done once a second.
import type { NodeStatus } from "@baton/contracts";
import type { ServiceName } from "@baton/domain";
import type { SnapshotAnswer } from "@baton/host";
import type { NodeFacts, NodeModel } from "./node-model.ts";

export interface StatusDependencies {
  readonly model: NodeModel;
  facts(): NodeFacts;
  /** Undefined when the service does not answer in so many milliseconds. */
  ask(service: ServiceName, patience: number): Promise<SnapshotAnswer | undefined>;
}

/** Those whose state changes without an event: a lease that is confirmed, a run that is counted, a child that is up. */
export const asked: readonly ServiceName[] = ["supervisor", "election", "health", "dataplane", "balancer"];
const freshMicros = 1_000_000;
/** Milliseconds: somebody sits before a screen. */
const patienceOfPeople = 250;

export class NodeStatusSource {
  readonly #dependencies: StatusDependencies;
  #refreshedAt = Number.NEGATIVE_INFINITY;
  #refreshing: Promise<void> | undefined;

  constructor(dependencies: StatusDependencies) {
    this.#dependencies = dependencies;
  }

  /**
   * `maxAge` in microseconds: what was asked for earlier than that is asked for anew; `patience` in milliseconds: a service
   * that takes longer to answer is shown as it was last known.
   */
  async current(maxAge = freshMicros, patience = patienceOfPeople): Promise<NodeStatus> {
    const { model, facts } = this.#dependencies;
    if (facts().now - this.#refreshedAt >= maxAge) {
      this.#refreshing ??= this.#refresh(patience).finally(() => {
        this.#refreshing = undefined;
      });
      await this.#refreshing;
    }
    return model.status(facts());
  }

  async #refresh(patience: number): Promise<void> {
    const { model, ask, facts } = this.#dependencies;
    await Promise.all(
      asked
        .filter((service) => model.follows(service))
        .map(async (service) => {
          const answer = await ask(service, patience);
          if (answer !== undefined) model.refresh(service, answer);
        }),
    );
    this.#refreshedAt = facts().now;
  }
}
