// One BFD session in asynchronous mode as a machine (RFC 5880 section 6): three states that the two ends bring up
// together, and a time without packets after which the way between them counts as broken.
//
//   down ──heard down──▶ init ──heard init or up──▶ up      down ──heard init──▶ up
//     ▲                    │                          │
//     └── detection time expired, or the neighbor says down (or that it was taken down by hand)
//
// Time and chance are arguments, and the deadline is part of the state: a timer that fires late decides nothing. What
// decides whether a packet came in time is when the kernel received it.
import { addMicros, type BatonEventOf, type Instant, type Micros, micros } from "@baton/domain";
import type { BfdDiagnostic, BfdPacket, BfdState } from "./packet.ts";

export interface BfdSessionConfig {
  readonly name: string;
  readonly neighbor: string;
  /** `min_rx`. */
  readonly minReceiveInterval: Micros;
  /** `min_tx`. */
  readonly minTransmitInterval: Micros;
  /** `idle_tx`: while the session is not up, at least a second (section 6.8.3). */
  readonly idleTransmitInterval: Micros;
  readonly multiplier: number;
  /** Says nothing before the neighbor has spoken. */
  readonly passive: boolean;
}

export interface BfdSession {
  readonly config: BfdSessionConfig;
  readonly state: BfdState;
  readonly diagnostic: BfdDiagnostic;
  readonly discriminator: number;
  /** What the neighbor said last; undefined: nothing, or too long ago. */
  readonly remote: Remote | undefined;
  /** The intervals that we told the neighbor, and those that count until it has answered (section 6.8.3). */
  readonly told: Intervals;
  readonly used: Intervals;
  /** We asked the neighbor to confirm our intervals (section 6.5). */
  readonly polling: boolean;
  readonly heardAt: Instant;
  readonly sendAt: Instant | undefined;
  /** What others were told; `unknown` after a restart, until it is known (SAFETY S15). */
  readonly status: "unknown" | "up" | "down";
  /** From when on `unknown` is `down`. */
  readonly unknownUntil: Instant;
}

interface Intervals {
  readonly transmit: Micros;
  readonly receive: Micros;
}

interface Remote {
  readonly state: BfdState;
  readonly discriminator: number;
  readonly multiplier: number;
  readonly minTransmit: Micros;
  readonly minReceive: Micros;
  readonly demand: boolean;
}

export type BfdInput =
  | { readonly type: "packet-received"; readonly packet: BfdPacket; readonly receivedAt: Instant }
  /** Every packet that was waiting has been fed in before (SAFETY S2). */
  | { readonly type: "deadline-reached" }
  | { readonly type: "configure"; readonly config: BfdSessionConfig }
  /** The neighbor is told that it was done by hand, so that it does not take it for a failure. */
  | { readonly type: "stop" };

export type BfdEvent = BatonEventOf<"bfd-session-up"> | BatonEventOf<"bfd-session-down">;

export type BfdEffect =
  | { readonly type: "send"; readonly packet: BfdPacket }
  | { readonly type: "append-event"; readonly event: BfdEvent };

export interface BfdStep {
  readonly state: BfdSession;
  readonly effects: readonly BfdEffect[];
}

/** Who takes part: `random` from 0 to below 1, drawn anew for each step. */
export interface Moment {
  readonly now: Instant;
  readonly random: number;
}

/**
 * `discriminator`: unique on this machine, not 0, hard to guess. `fresh`: down until it is up, as keepalived starts;
 * `resumed`: others keep what they knew until the neighbor had time to answer.
 */
export function startBfd(
  config: BfdSessionConfig,
  discriminator: number,
  origin: "fresh" | "resumed",
  { now }: Moment,
): BfdStep {
  const intervals = { transmit: idle(config), receive: config.minReceiveInterval };
  const state: BfdSession = {
    config,
    state: "down",
    diagnostic: "none",
    discriminator,
    remote: undefined,
    told: intervals,
    used: intervals,
    polling: false,
    heardAt: now,
    sendAt: config.passive ? undefined : now,
    status: "unknown",
    unknownUntil: addMicros(now, origin === "fresh" ? 0 : config.multiplier * idle(config)),
  };
  return origin === "fresh" ? tell(state, "down") : { state, effects: [] };
}

export function nextBfdDeadline(session: BfdSession): Instant | undefined {
  if (session.state === "admin-down") return undefined;
  const deadlines = [
    session.sendAt,
    isAlive(session) ? expiresAt(session) : undefined,
    session.status === "unknown" ? session.unknownUntil : undefined,
  ].filter((at) => at !== undefined);
  return deadlines.toSorted((a, b) => a - b)[0];
}

export function stepBfd(session: BfdSession, input: BfdInput, moment: Moment): BfdStep {
  switch (input.type) {
    case "packet-received":
      return receive(session, input.packet, input.receivedAt, moment);
    case "deadline-reached":
      if (session.state === "admin-down") return same(session);
      return follow(expire(session, moment.now), (state) =>
        follow(giveUp(state, moment.now), (next) => transmit(next, moment)),
      );
    case "configure":
      return reconfigure(session, input.config, moment);
    case "stop":
      return stop(session);
  }
}

const follow = (first: BfdStep, then: (state: BfdSession) => BfdStep): BfdStep => {
  const second = then(first.state);
  return { state: second.state, effects: [...first.effects, ...second.effects] };
};

const same = (state: BfdSession): BfdStep => ({ state, effects: [] });
const isAlive = ({ state }: BfdSession): boolean => state === "init" || state === "up";
/** A session that is not up sends slowly, whatever is configured (section 6.8.3). */
const idle = (config: BfdSessionConfig): Micros =>
  micros(Math.max(config.idleTransmitInterval, config.minTransmitInterval, 1_000_000));

/** Section 6.8.4: the neighbor's multiplier, times the slower of what it wants to send and we want to receive. */
export const detectionTime = ({ remote, used }: BfdSession): Micros =>
  micros((remote?.multiplier ?? 1) * Math.max(used.receive, remote?.minTransmit ?? 0));

const expiresAt = (session: BfdSession): Instant => addMicros(session.heardAt, detectionTime(session));

function receive(session: BfdSession, packet: BfdPacket, receivedAt: Instant, moment: Moment): BfdStep {
  if (session.state === "admin-down") return same(session);
  // What came after the time was over comes too late, although nobody has looked meanwhile.
  const before = isAlive(session) && receivedAt >= expiresAt(session) ? expire(session, receivedAt) : same(session);
  return follow(before, (current) => {
    const answered = current.polling && packet.final;
    const heard: BfdSession = {
      ...current,
      heardAt: receivedAt,
      polling: current.polling && !packet.final,
      used: answered ? current.told : current.used,
      remote: {
        state: packet.state,
        discriminator: packet.myDiscriminator,
        multiplier: packet.multiplier,
        minTransmit: packet.desiredMinTransmit,
        minReceive: packet.requiredMinReceive,
        demand: packet.demand,
      },
    };
    return follow(
      follow(transition(heard, packet), (next) => same(reschedule(current, next, moment))),
      (next) =>
        packet.poll ? { state: next, effects: [{ type: "send", packet: packetOf(next, "final") }] } : same(next),
    );
  });
}

/** Section 6.8.6, the part that decides. */
function transition(session: BfdSession, { state: heard }: BfdPacket): BfdStep {
  if (heard === "admin-down" || (heard === "down" && session.state === "up"))
    return session.state === "down" ? same(session) : goDown(session, "neighbor-signaled-down");
  if (session.state === "down") {
    if (heard === "down") return same({ ...session, state: "init", diagnostic: "none" });
    return heard === "init" ? goUp(session) : same(session);
  }
  return session.state === "init" && (heard === "init" || heard === "up") ? goUp(session) : same(session);
}

/** Faster from here on: the neighbor is asked to confirm it. What is faster counts at once, what is slower later. */
const goUp = (session: BfdSession): BfdStep =>
  tell(
    proposed(
      { ...session, state: "up", diagnostic: "none" },
      { transmit: session.config.minTransmitInterval, receive: session.config.minReceiveInterval },
    ),
    "up",
  );

function goDown(session: BfdSession, diagnostic: BfdDiagnostic): BfdStep {
  const intervals = { transmit: idle(session.config), receive: session.config.minReceiveInterval };
  const state: BfdSession = { ...session, state: "down", diagnostic, told: intervals, used: intervals, polling: false };
  // Only who was up went down; whether a beginning succeeds is nobody's business yet.
  return session.state === "up" ? tell(state, "down") : same(state);
}

/** Section 6.8.3: a slower sending, and a faster receiving, count only when the neighbor knows of them. */
function proposed(session: BfdSession, intervals: Intervals): BfdSession {
  const { told, used } = session;
  if (told.transmit === intervals.transmit && told.receive === intervals.receive) return session;
  return {
    ...session,
    told: intervals,
    polling: true,
    used: {
      transmit: micros(Math.min(used.transmit, intervals.transmit)),
      receive: micros(Math.max(used.receive, intervals.receive)),
    },
  };
}

function expire(session: BfdSession, now: Instant): BfdStep {
  if (!isAlive(session) || now < expiresAt(session)) return same(session);
  const { state, effects } = goDown(session, "detection-time-expired");
  // Section 6.8.1: nobody is known at the other end any more.
  return { state: { ...state, remote: undefined, sendAt: state.config.passive ? undefined : now }, effects };
}

const giveUp = (session: BfdSession, now: Instant): BfdStep =>
  session.status === "unknown" && now >= session.unknownUntil ? tell(session, "down") : same(session);

function transmit(session: BfdSession, moment: Moment): BfdStep {
  if (session.sendAt === undefined || moment.now < session.sendAt) return same(session);
  if (!speaks(session)) return same({ ...session, sendAt: undefined });
  const packet = packetOf(session, session.polling ? "poll" : "plain");
  return { state: { ...session, sendAt: nextSend(session, moment.now, moment) }, effects: [{ type: "send", packet }] };
}

/** Section 6.8.7: to whom wants no packets none are sent, and a passive end waits to be spoken to. */
function speaks({ config, state, remote, polling }: BfdSession): boolean {
  if (remote === undefined) return !config.passive;
  if (remote.minReceive === 0) return false;
  return !(remote.demand && state === "up" && remote.state === "up" && !polling);
}

const transmitInterval = ({ used, remote }: BfdSession): Micros =>
  micros(Math.max(used.transmit, remote?.minReceive ?? 0));

/** Section 6.8.7: up to a quarter earlier, so that sessions do not fall in step; with multiplier 1 at least a tenth. */
function nextSend(session: BfdSession, from: Instant, { random }: Moment): Instant {
  const least = session.config.multiplier === 1 ? 0.1 : 0;
  const share = 1 - least - random * (0.25 - least);
  return addMicros(from, Math.round(transmitInterval(session) * share));
}

/** An interval that became shorter counts from now on, and a session that begins to speak speaks at once. */
function reschedule(before: BfdSession, after: BfdSession, moment: Moment): BfdSession {
  if (!speaks(after)) return { ...after, sendAt: undefined };
  if (after.sendAt === undefined || before.state !== after.state) return { ...after, sendAt: moment.now };
  if (transmitInterval(before) === transmitInterval(after)) return after;
  const next = nextSend(after, moment.now, moment);
  return next < after.sendAt ? { ...after, sendAt: next } : after;
}

function reconfigure(session: BfdSession, config: BfdSessionConfig, moment: Moment): BfdStep {
  const next = { ...session, config };
  const intervals = {
    transmit: session.state === "up" ? config.minTransmitInterval : idle(config),
    receive: config.minReceiveInterval,
  };
  const changed =
    session.state === "up" ? proposed(next, intervals) : { ...next, told: intervals, used: intervals, polling: false };
  return same(reschedule(session, changed, moment));
}

function stop(session: BfdSession): BfdStep {
  const state: BfdSession = {
    ...session,
    state: "admin-down",
    diagnostic: "administratively-down",
    polling: false,
    sendAt: undefined,
  };
  return { state, effects: session.remote === undefined ? [] : [{ type: "send", packet: packetOf(state, "plain") }] };
}

const packetOf = (session: BfdSession, kind: "plain" | "poll" | "final"): BfdPacket => ({
  diagnostic: session.diagnostic,
  state: session.state,
  poll: kind === "poll",
  final: kind === "final",
  demand: false,
  multiplier: session.config.multiplier,
  myDiscriminator: session.discriminator,
  yourDiscriminator: session.remote?.discriminator ?? 0,
  desiredMinTransmit: session.told.transmit,
  requiredMinReceive: session.told.receive,
});

function tell(session: BfdSession, status: "up" | "down"): BfdStep {
  if (session.status === status) return same(session);
  const data = { session: session.config.name, neighbor: session.config.neighbor, diagnostic: session.diagnostic };
  const type = status === "up" ? "bfd-session-up" : "bfd-session-down";
  return { state: { ...session, status }, effects: [{ type: "append-event", event: { type, data } }] };
}
