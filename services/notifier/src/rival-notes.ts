// A master has heard a lower one: keepalived's line in the FIFOs, and notify_master_rx_lower_pri. Beside the states, which
// do not wait for it. Nothing of it is kept: what comes while nobody listens is not told later.
import type { BatonEventOf, EventEnvelope } from "@baton/domain";
import type { InstanceConfig } from "@baton/keepalived-conf";
import { fifoLine } from "./fifo-line.ts";
import type { ScriptDelivery } from "./script-delivery.ts";
import type { Occasion } from "./script-jobs.ts";

export interface RivalNotesOptions {
  newDelivery(): ScriptDelivery<Occasion>;
  /** To the FIFOs. */
  write(line: string): void;
  /** As configured now; undefined: of an instance that is not, nothing is told. */
  instance(name: string): Pick<InstanceConfig, "notify"> | undefined;
  /** The effective one that was heard of last. */
  priority(name: string): number | undefined;
}

export interface RivalNotes {
  tell(heard: EventEnvelope<BatonEventOf<"rival-heard">>): void;
  /** One for each instance that has told something. */
  deliveries(): Iterable<ScriptDelivery<Occasion>>;
}

const state = "MASTER_RX_LOWER_PRI";

export function createRivalNotes(options: RivalNotesOptions): RivalNotes {
  const deliveries = new Map<string, ScriptDelivery<Occasion>>();
  return {
    tell({ id, correlationId, traceparent, at, event: { data } }) {
      const { instance: name } = data;
      const instance = options.instance(name);
      if (instance === undefined) return;
      options.write(fifoLine("instance", name, state, options.priority(name) ?? data.priority));
      const command = instance.notify.lowerPriority;
      if (command === undefined) return;
      const change: Occasion = {
        instance: name,
        state,
        at,
        cause: { id, correlationId, traceparent },
        replayed: false,
      };
      const delivery = deliveries.get(name) ?? options.newDelivery();
      deliveries.set(name, delivery);
      delivery.offer([{ command, appended: [], change }]);
    },
    deliveries: () => deliveries.values(),
  };
}
