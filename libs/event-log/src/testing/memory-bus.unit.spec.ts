import { busContract } from "./bus-contract.ts";
import { openMemoryBus } from "./memory-bus.ts";

busContract("in memory", async () => {
  const bus = openMemoryBus();
  return {
    bus,
    node: "r1",
    publishNonsense: async (subject) => {
      await bus.publish({ subject, headers: new Map(), body: "nonsense" });
    },
    outage: async () => bus.disconnect(),
    back: async () => bus.connect(),
    close: () => bus.close(),
  };
});
