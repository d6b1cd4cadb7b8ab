// What health says of virtual servers and real servers, as it would append it.
import type { AggregateState, VirtualServerState } from "@baton/contracts";
import type { BatonEvent, BatonEventOf } from "@baton/domain";

type Told<T extends BatonEvent["type"]> = Partial<BatonEventOf<T>["data"]>;

export const service = "[192.0.2.1]:tcp:80";
export const web1 = "198.51.100.1:80";

const realServer = { virtualServer: service, server: web1, reason: "check", check: "TCP_CHECK 198.51.100.1:80" };
const quorum = { virtualServer: service, quorum: 1, hysteresis: 0, threshold: 1, reason: "servers", told: "everyone" };

export const serverEvent = {
  up: (over: Told<"realserver-up"> = {}): BatonEvent => ({
    type: "realserver-up",
    data: { ...realServer, changed: true, told: "everyone", ...over },
  }),
  down: (over: Told<"realserver-down"> = {}): BatonEvent => ({
    type: "realserver-down",
    data: { ...realServer, changed: true, told: "everyone", held: false, ...over },
  }),
  gained: (over: Told<"quorum-gained"> = {}): BatonEvent => ({
    type: "quorum-gained",
    data: { ...quorum, weight: 1, ...over },
  }),
  lost: (over: Told<"quorum-lost"> = {}): BatonEvent => ({
    type: "quorum-lost",
    data: { ...quorum, weight: 0, ...over },
  }),
} as const;

/** As the Watch of health has it. */
export const serviceState = (
  over: Partial<VirtualServerState> & { readonly alive?: boolean; readonly failing?: readonly string[] } = {},
  version = 1,
): AggregateState => {
  const { alive = true, failing = alive ? [] : ["TCP_CHECK 198.51.100.1:80"], ...rest } = over;
  const server = { server: web1, alive, drain: "none", drainUntil: 0, configuredWeight: 1 };
  return {
    kind: "virtual-server",
    id: service,
    version,
    state: {
      $case: "virtualServer",
      value: {
        name: service,
        quorum: 1,
        hysteresis: 0,
        quorumUp: alive,
        sorry: false,
        held: "",
        servers: [{ ...server, failing: [...failing] }],
        destinations: [],
        liveWeight: alive ? 1 : 0,
        since: 1,
        lastEventId: "0190-last",
        correlationId: "",
        traceparent: "",
        ...rest,
      },
    },
  };
};
