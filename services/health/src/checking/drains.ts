// Servers that an operator takes out: weight 0 at once, out of the service when its connections have ended or its time is
// over. It is the operator's will until it is undone, or the server leaves the configuration: it outlives this process, and
// Baton.
import { addMicros, type CauseRef, type Instant, millisToMicros, parseIp } from "@baton/domain";
import type { Drain } from "@baton/health";
import type { Host } from "@baton/host";
import type { Agenda, AgendaEntry } from "./agenda.ts";
import type { PoolBoard, PoolMember } from "./pool-board.ts";

/** One drain as it is kept: by the wall clock, because the machine may be started anew meanwhile. */
export interface KeptDrain {
  readonly virtualServer: string;
  readonly server: string;
  readonly drain: Exclude<Drain, "none">;
  /** What was asked for; 0: however long it takes. */
  readonly deadlineMs: number;
  /** Milliseconds since 1970; 0: no deadline. */
  readonly untilMs: number;
}

export interface DrainOrder {
  /** Address and port as in the configuration, or the address alone. */
  readonly server: string;
  /** "": wherever it is. */
  readonly virtualServer: string;
  readonly deadlineMs: number;
  readonly undo: boolean;
}

export interface DrainedServer {
  readonly virtualServer: string;
  readonly server: string;
  readonly drain: Drain;
}

export interface Drains {
  order(order: DrainOrder): DrainedServer[];
  /** It has no connections any more. */
  idle(virtualServer: string, server: string, cause: CauseRef | undefined): void;
  /** After a pool has begun or has changed: what is to be drained in it is; who is gone is drained no longer. */
  meet(member: PoolMember): void;
  /** Only these virtual servers are left. */
  keepOnly(virtualServers: ReadonlySet<string>): void;
  of(virtualServer: string, server: string): { readonly drain: Drain; readonly until: Instant | undefined };
  kept(): KeptDrain[];
}

export interface DrainsOptions {
  readonly host: Pick<Host, "now" | "events" | "log">;
  /** Milliseconds since 1970. */
  readonly wall: () => number;
  readonly agenda: Agenda;
  readonly pools: PoolBoard;
  readonly kept: readonly KeptDrain[];
  readonly onChange: () => void;
}

interface Order {
  readonly virtualServer: string;
  readonly server: string;
  drain: Exclude<Drain, "none">;
  deadlineMs: number;
  until: Instant | undefined;
  cause: CauseRef | undefined;
  readonly entry: AgendaEntry;
}

/** Ten years: who waits longer waits for ever. */
export const deadlineMillisMax = 315_360_000_000;

export function createDrains({ host, wall, agenda, pools, kept, onChange }: DrainsOptions): Drains {
  const orders = new Map<string, Order>();
  for (const each of kept) remember(each, remainingOf(each, wall()));

  function remember({ virtualServer, server, drain, deadlineMs }: Omit<KeptDrain, "untilMs">, leftMs: number): Order {
    const order: Order = {
      virtualServer,
      server,
      drain,
      deadlineMs,
      until: undefined,
      cause: undefined,
      entry: agenda.entry(() => finish(order, "deadline", order.cause)),
    };
    orders.set(keyOf(order), order);
    limit(order, drain === "draining" && deadlineMs > 0 ? leftMs : undefined);
    return order;
  }

  function limit(order: Order, leftMs: number | undefined): void {
    order.until = leftMs === undefined ? undefined : addMicros(host.now(), millisToMicros(leftMs));
    order.entry.set(order.until);
  }

  const append = (
    order: Order,
    type: "drain-started" | "drain-finished" | "drain-undone",
    more: { readonly reason?: string },
    cause: CauseRef | undefined,
  ): CauseRef => {
    const { virtualServer, server, deadlineMs } = order;
    const of = { virtualServer, server };
    const aggregate = { kind: "virtual-server", id: virtualServer } as const;
    const event =
      type === "drain-started"
        ? ({ type, data: { ...of, deadlineMs } } as const)
        : type === "drain-finished"
          ? ({ type, data: { ...of, reason: more.reason ?? "" } } as const)
          : ({ type, data: of } as const);
    const { id, correlationId, traceparent } = host.events.append(aggregate, event, cause);
    host.log.info(`${server} of ${virtualServer}: ${type}`, { eventId: id, ...more });
    return { id, correlationId, traceparent };
  };

  function finish(order: Order, reason: "idle" | "deadline", cause: CauseRef | undefined): void {
    if (orders.get(keyOf(order)) !== order || order.drain !== "draining") return;
    order.drain = "removed";
    limit(order, undefined);
    order.cause = append(order, "drain-finished", { reason }, cause);
    apply(order, order.cause);
    onChange();
  }

  const apply = ({ virtualServer, server, drain }: Order, cause: CauseRef | undefined): void =>
    pools.feed(virtualServer, { type: "drain", server, drain }, cause);

  function begin(virtualServer: string, server: string, deadlineMs: number): void {
    const before = orders.get(keyOf({ virtualServer, server }));
    if (before !== undefined && (before.drain === "removed" || before.deadlineMs === deadlineMs)) return;
    const order = before ?? remember({ virtualServer, server, drain: "draining", deadlineMs }, deadlineMs);
    order.deadlineMs = deadlineMs;
    limit(order, deadlineMs > 0 ? deadlineMs : undefined);
    order.cause = append(order, "drain-started", {}, undefined);
    apply(order, order.cause);
    onChange();
  }

  function undo(virtualServer: string, server: string): void {
    const order = orders.get(keyOf({ virtualServer, server }));
    if (order === undefined) return;
    forget(order);
    const cause = append(order, "drain-undone", {}, undefined);
    pools.feed(virtualServer, { type: "drain", server, drain: "none" }, cause);
    onChange();
  }

  function forget(order: Order): void {
    order.entry.set(undefined);
    orders.delete(keyOf(order));
  }

  /** A reload has taken it away: should it come back, nobody has ordered anything of it. */
  function lose(order: Order): void {
    // What is done of one drain may have led here already.
    if (orders.get(keyOf(order)) !== order) return;
    const { server, virtualServer } = order;
    forget(order);
    append(order, "drain-undone", {}, undefined);
    host.log.warn(`the drain of ${server} of ${virtualServer} is forgotten: it is not configured any more`);
    onChange();
  }

  /** Who is not in the service has no connections that anybody could wait for. */
  function finishAbsent(order: Order, { wanted }: PoolMember): void {
    if (order.drain === "draining" && !wanted.some(({ server }) => server === order.server))
      finish(order, "idle", order.cause);
  }

  return {
    order: ({ server: text, virtualServer, deadlineMs, undo: isUndo }) => {
      const limited = Math.min(deadlineMillisMax, Math.max(0, Math.floor(deadlineMs)));
      const wanted = readServer(text);
      const found = [...pools.members.values()]
        .filter(({ name }) => virtualServer === "" || name === virtualServer)
        .flatMap(({ name, state }) =>
          state.servers
            .filter(({ config: { server } }) => isMeant(server, wanted))
            .map(({ config: { server } }) => ({ virtualServer: name, server })),
        );
      return found.map((each) => {
        if (isUndo) undo(each.virtualServer, each.server);
        else begin(each.virtualServer, each.server, limited);
        return { ...each, drain: orders.get(keyOf(each))?.drain ?? "none" };
      });
    },
    idle: (virtualServer, server, cause) => {
      const order = orders.get(keyOf({ virtualServer, server }));
      if (order !== undefined) finish(order, "idle", cause ?? order.cause);
    },
    meet: (member) => {
      // An end of the service is nobody's order.
      if (member.state.ended) return;
      const servers = new Map(member.state.servers.map((server) => [server.config.server, server]));
      for (const order of [...orders.values()]) {
        if (order.virtualServer !== member.name) continue;
        const server = servers.get(order.server);
        if (server === undefined) {
          lose(order);
          continue;
        }
        if (server.drain !== order.drain) apply(order, order.cause);
        finishAbsent(order, member);
      }
    },
    keepOnly: (virtualServers) => {
      for (const order of [...orders.values()]) if (!virtualServers.has(order.virtualServer)) lose(order);
    },
    of: (virtualServer, server) => orders.get(keyOf({ virtualServer, server })) ?? { drain: "none", until: undefined },
    kept: () =>
      [...orders.values()].map(({ virtualServer, server, drain, deadlineMs, until }) => ({
        virtualServer,
        server,
        drain,
        deadlineMs,
        untilMs: until === undefined ? 0 : wall() + Math.max(0, until - host.now()) / 1_000,
      })),
  };
}

/** A clock that was set back grants no more than was asked for. */
const remainingOf = ({ deadlineMs, untilMs }: KeptDrain, now: number): number =>
  Math.min(deadlineMs, Math.max(0, untilMs - now));

const keyOf = ({ virtualServer, server }: { readonly virtualServer: string; readonly server: string }): string =>
  `${virtualServer}\n${server}`;

/** Whom an operator means. */
interface ServerText {
  readonly address: string;
  /** undefined: whatever it is. */
  readonly port: string | undefined;
}

export function isMeant(server: string, wanted: ServerText | undefined): boolean {
  const own = readServer(server);
  if (own === undefined || wanted === undefined || own.address !== wanted.address) return false;
  return wanted.port === undefined || wanted.port === own.port;
}

/** The longest address in brackets, and a port. */
const textMax = 64;

/** An address, in brackets or not, or one with a port (`poolServerName`); undefined: neither. */
export function readServer(text: string): ServerText | undefined {
  if (text.length > textMax) return undefined;
  const whole = parseIp(text);
  if (whole !== undefined) return { address: whole, port: undefined };
  const match = /^\[([^\]]*)\](?::(\d{1,5}))?$|^([^:]*):(\d{1,5})$/.exec(text);
  const address = parseIp(match?.[1] ?? match?.[3] ?? "");
  const port = match?.[2] ?? match?.[4];
  return address === undefined ? undefined : { address, port: port === undefined ? undefined : String(Number(port)) };
}
