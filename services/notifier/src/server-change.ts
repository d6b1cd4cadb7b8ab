// What the notifier hears of virtual servers and their real servers -> the changes that are to be told. Pure.
import type { AggregateState, VirtualServerState } from "@baton/contracts";
import type { BatonEventOf, CauseRef, EventEnvelope } from "@baton/domain";
import type { ServerState, Telling } from "./ledger.ts";

/** A real server came or went, or a virtual server gained or lost its quorum. */
export interface ServerChange extends Telling {
  readonly virtualServer: string;
  /** undefined: the virtual server itself. */
  readonly server: string | undefined;
  readonly state: ServerState;
  /** For scripts, FIFO and mail; otherwise it is to be known alone. */
  readonly isTold: boolean;
  /** The event's word for why; `snapshot`: nobody has said. */
  readonly reason: string;
  /** The check that decided; "": none. */
  readonly check: string;
  /** Undefined of real servers, and where a snapshot said it. */
  readonly quorum: QuorumFacts | undefined;
  /** false: it was so before, and a first result has confirmed it. */
  readonly changed: boolean;
  /** Wall clock, RFC 3339; for people. */
  readonly time: string;
  readonly cause: CauseRef;
  readonly replayed: boolean;
}

export type QuorumFacts = Pick<BatonEventOf<"quorum-lost">["data"], "quorum" | "hysteresis" | "threshold" | "weight">;

/** Whose states these are: two virtual servers may have one real server. No name of an instance has a line feed. */
export const serverKey = ({ virtualServer, server }: Pick<ServerChange, "virtualServer" | "server">): string =>
  `virtual-server\n${virtualServer}${server === undefined ? "" : `\n${server}`}`;

export const isServerKey = (key: string): boolean => key.startsWith("virtual-server\n");

/** For people: `10.0.0.1:80 of [192.0.2.1]:tcp:80`. */
export const subjectName = ({ virtualServer, server }: Pick<ServerChange, "virtualServer" | "server">): string =>
  server === undefined ? virtualServer : `${server} of ${virtualServer}`;

/** Undefined for an event that changes nothing that anybody is told of. */
export function serverChangeOfEvent(envelope: EventEnvelope): ServerChange | undefined {
  const { event, at, time, id, correlationId, traceparent } = envelope;
  const order = { epoch: envelope.epoch, version: envelope.version };
  const said = { order, at, time, cause: { id, correlationId, traceparent }, replayed: false };
  switch (event.type) {
    case "realserver-up":
    case "realserver-down": {
      const { virtualServer, server, reason, check, changed, told } = event.data;
      const state = event.type === "realserver-up" ? "UP" : "DOWN";
      const isTold = told === "everyone";
      return { ...said, virtualServer, server, state, isTold, reason, check, changed, quorum: undefined };
    }
    case "quorum-gained":
    case "quorum-lost": {
      const { virtualServer, reason, told, ...quorum } = event.data;
      const state = event.type === "quorum-gained" ? "UP" : "DOWN";
      const isTold = told === "everyone";
      return { ...said, virtualServer, server: undefined, state, isTold, reason, check: "", changed: true, quorum };
    }
    default:
      return undefined;
  }
}

/** What the configuration says of a beginning, for servers that were not heard of before. */
export interface Beginnings {
  /** `rs_init_notifies`. */
  readonly tellsServersUp: boolean;
  /** Supposed to be down until its checks have succeeded: nothing has failed. */
  isAlpha(virtualServer: string, server: string): boolean;
}

/**
 * What a snapshot says of a virtual server and of its servers. What was not heard of before has begun: without a sorry
 * server nobody is told of a quorum that begins down, nor of a server that begins up without `rs_init_notifies`. What is
 * down because nothing has been tried yet is nothing that has happened: its first failure will be told. Nor is what files
 * alone have out, which they may have had from the beginning.
 */
export function serverChangesOfSnapshot({ state }: AggregateState, view: SnapshotView): ServerChange[] {
  if (state?.$case !== "virtualServer") return [];
  const { value } = state;
  const { isKnown, begins, time, replayed } = view;
  const virtualServer = value.name;
  const common = {
    virtualServer,
    // A snapshot is what is: whatever comes after it is later.
    order: undefined,
    at: 0,
    reason: "snapshot",
    changed: true,
    quorum: undefined,
    time,
    cause: causeOf(value),
    replayed,
  };
  const servers = value.servers.map(({ server, alive, failing }): ServerChange => {
    const isBeginning = !isKnown(serverKey({ virtualServer, server }));
    const hasFailed =
      failing.some((check) => !check.startsWith("FILE_CHECK ")) && !begins.isAlpha(virtualServer, server);
    const isTold = !isBeginning || (alive ? begins.tellsServersUp : hasFailed);
    return { ...common, server, state: wordOf(alive), check: failing[0] ?? "", isTold };
  });
  const isTold = isKnown(serverKey({ virtualServer, server: undefined })) || value.quorumUp || value.sorry;
  const quorum: ServerChange = { ...common, server: undefined, state: wordOf(value.quorumUp), check: "", isTold };
  return [...servers, quorum].filter((change) => change.isTold || change.state === "UP");
}

export interface SnapshotView {
  isKnown(key: string): boolean;
  readonly begins: Beginnings;
  /** Now, RFC 3339. */
  readonly time: string;
  readonly replayed: boolean;
}

const wordOf = (isUp: boolean): ServerState => (isUp ? "UP" : "DOWN");

const causeOf = ({ lastEventId: id, correlationId, traceparent }: VirtualServerState): CauseRef => ({
  id,
  correlationId: correlationId === "" ? id : correlationId,
  traceparent: traceparent === "" ? undefined : traceparent,
});
