// The election's end of the mastership lease (SAFETY S3): claims go out at once, heartbeats keep them, each answer says
// what dataplane read back from the kernel. One stream; it reconnects by itself. Its first frame names every claim, the
// others what is new; and while one is unanswered the next one gathers: a thousand takeovers at once are some frames.
import {
  type LeaseAdvert,
  type LeaseClaim,
  type LeaseConfirm,
  type LeaseFrame,
  type LeaseRecord,
  type LeaseReply,
  LeaseServiceClient,
  type LeaseStatus,
} from "@baton/contracts";
import { type Instant, micros } from "@baton/domain";
import { clientOptions } from "@baton/host";
import { heartbeatOf } from "@baton/vrrp";
import { type ClientDuplexStream, credentials } from "@grpc/grpc-js";

export interface LeaseClientOptions {
  readonly socketPath: string;
  now(): Instant;
  configGeneration(): number;
  /** The claim with what changes between two claims: when the last advert left, when a peer was last heard. */
  refresh(claim: LeaseClaim): LeaseClaim;
  /** dataplane speaks first; claims follow. */
  onHello(records: readonly LeaseRecord[]): void;
  /** `sentAt`: when the frame that it answers was sent; the last answered one for an unsolicited confirmation. */
  onStatus(status: LeaseStatus, sentAt: Instant): void;
  onDisconnected(): void;
}

export interface LeaseClient {
  /** Replaces the claim of its lease; all changes of one turn go out in one frame, at the end of the current step. */
  claim(claim: LeaseClaim): void;
  /** An advert has left: dataplane is to know soon. */
  advertSent(lease: string): void;
  /** The lease is over: it is not claimed any more. */
  forget(lease: string): void;
  claimed(lease: string): LeaseClaim | undefined;
  /** A frame now, at the end of the current turn: what every frame carries has changed (the configuration generation). */
  refreshNow(): void;
  /** The loop runs anyway, for something else: a heartbeat that is due soon leaves now. */
  ran(): void;
  connected(): boolean;
  /** Confirmations received so far: the shell waits for this to rest before a lease deadline is acted on (SAFETY S2). */
  received(): number;
  close(): void;
}

/** A restarted dataplane renews nothing until it is found: a lease is at least a second, the kernel's three. */
const reconnectMillis = { min: 20, max: 100 } as const;
/**
 * The first frames of a process come in quick succession: the one that claims in earnest is not to be the one for which
 * both ends of the stream compile their code (1.5 ms of a takeover, measured).
 */
const rehearsal = { frames: 300, everyMillis: 10 } as const;
/** A heartbeat every quarter of the shortest lease (ARCHITECTURE.md, S3); this one when nothing is claimed. */
const idleHeartbeatMillis = 2_500;
/** A heartbeat that is due within this leaves when the loop runs for something else. */
const soonMillis = 50;
/** An advert that leaves with the heartbeat makes it needless, so that comes a moment later than it might. */
const afterAdvertMillis = 10;
/**
 * An advert after a silence is told at once, those that follow within this together: the kernel's lease is whole seconds,
 * and an election that resumes by an advert too old listens longer than it had to (SAFETY S5, S10). A frame costs both
 * ends as much as some dozen adverts do.
 */
const advertsApartMillis = 100;

export function openLeaseClient(options: LeaseClientOptions): LeaseClient {
  // A restarted dataplane must be found well within a lease: no backoff of a second.
  const client = new LeaseServiceClient(`unix:${options.socketPath}`, credentials.createInsecure(), {
    ...clientOptions,
    "grpc.max_reconnect_backoff_ms": reconnectMillis.max,
  });
  const claims = new Map<string, LeaseClaim>();
  /** What dataplane last told of each lease on this stream. */
  const standings = new Map<string, LeaseStatus>();
  /** For the next frame: claims to name, adverts to tell, leases to forget, and whether it is to leave as soon as it may. */
  const news = { named: new Set<string>(), spoken: new Set<string>(), forgotten: new Set<string>(), urgent: false };
  let stream: ClientDuplexStream<LeaseFrame, LeaseReply> | undefined;
  let greeted = false;
  /** The first frame of a stream has left: the next ones say what is new. */
  let introduced = false;
  let closed = false;
  let backoffMillis: number = reconnectMillis.min;
  let sequence = 0;
  let received = 0;
  let lastAnsweredSentAt = 0 as Instant;
  let flushQueued = false;
  let heartbeat: NodeJS.Timeout | undefined;
  let heartbeatAt = 0;
  /** The frame that is not answered yet, and the one whose answer stands for every claim. */
  let unanswered: number | undefined;
  let confirming: number | undefined;
  let confirmingAt = Number.NEGATIVE_INFINITY;
  let framedAt = Number.NEGATIVE_INFINITY;
  let later: NodeJS.Timeout | undefined;

  const sendFrame = (): void => {
    clearTimeout(heartbeat);
    clearTimeout(later);
    later = undefined;
    if (closed) return;
    const period = heartbeatMillis(claims.values());
    const rehearsing = greeted && sequence < rehearsal.frames;
    const wait = rehearsing ? rehearsal.everyMillis : period + afterAdvertMillis;
    heartbeat = setTimeout(sendFrame, wait);
    heartbeatAt = performance.now() + wait;
    if (stream === undefined || !greeted) return;
    const partial = introduced;
    const named = partial ? [...news.named].flatMap((lease) => claims.get(lease) ?? []) : [...claims.values()];
    const spoken = partial ? [...news.spoken].filter((lease) => !news.named.has(lease)) : [];
    framedAt = performance.now();
    stream.write({
      sequence: ++sequence,
      sentAt: options.now(),
      configGeneration: options.configGeneration(),
      claims: named.map(options.refresh),
      partial,
      forgotten: partial ? [...news.forgotten] : [],
      adverts: spoken.flatMap((lease) => advertOf(claims.get(lease)) ?? []),
    });
    introduced = true;
    news.named.clear();
    news.spoken.clear();
    news.forgotten.clear();
    news.urgent = false;
    unanswered = sequence;
    // An answer that is long in coming still counts: the next one is asked for after it.
    if (confirming !== undefined || framedAt - confirmingAt < period * 0.9) return;
    confirming = sequence;
    confirmingAt = framedAt;
  };

  const advertOf = (claim: LeaseClaim | undefined): LeaseAdvert | undefined => {
    if (claim === undefined) return undefined;
    const { lease, priority, lastAdvertAt, peerHeardAt, authCounter } = options.refresh(claim);
    return { lease, priority, lastAdvertAt, peerHeardAt, authCounter };
  };

  /** In so many milliseconds, unless a frame leaves before. */
  const sendLater = (millis: number): void => {
    later ??= setTimeout(() => {
      later = undefined;
      sendFrame();
    }, millis);
  };

  /** While a frame is unanswered the next one gathers; a heartbeat waits for nobody. */
  const flush = (): void => {
    flushQueued = false;
    if (unanswered === undefined) sendFrame();
  };

  const flushSoon = (): void => {
    news.urgent = true;
    if (flushQueued) return;
    flushQueued = true;
    queueMicrotask(flush);
  };

  const onReply = ({ reply }: LeaseReply): void => {
    received++;
    if (reply?.$case === "hello") {
      greeted = true;
      backoffMillis = reconnectMillis.min;
      options.onHello(reply.value.records);
      flushSoon();
    } else if (reply?.$case === "confirm") takeConfirm(reply.value);
  };

  const takeConfirm = (confirm: LeaseConfirm): void => {
    if (confirm.sentAt > lastAnsweredSentAt) lastAnsweredSentAt = confirm.sentAt as Instant;
    const sentAt = lastAnsweredSentAt;
    if (unanswered !== undefined && confirm.sequence >= unanswered) {
      unanswered = undefined;
      if (news.urgent) flushSoon();
    }
    // An answer to an older claim says nothing about the present one.
    const isPresent = ({ lease, term }: LeaseStatus): boolean => claims.get(lease)?.term === term;
    for (const status of confirm.leases) if (isPresent(status)) standings.set(status.lease, status);
    // The others stand as they did; a heartbeat's answer says that they still do.
    const isForAll = confirm.partial && confirm.sequence === confirming;
    if (confirming !== undefined && confirm.sequence >= confirming) confirming = undefined;
    for (const status of isForAll ? [...standings.values()] : confirm.leases) {
      if (isPresent(status)) options.onStatus(status, sentAt);
    }
  };

  const connect = (): void => {
    if (closed) return;
    const opened = client.hold();
    stream = opened;
    greeted = false;
    introduced = false;
    unanswered = undefined;
    confirming = undefined;
    confirmingAt = Number.NEGATIVE_INFINITY;
    standings.clear();
    const ended = (): void => {
      if (stream !== opened) return;
      stream = undefined;
      if (greeted) options.onDisconnected();
      greeted = false;
      setTimeout(connect, backoffMillis);
      backoffMillis = Math.min(backoffMillis * 2, reconnectMillis.max);
    };
    opened.on("data", onReply);
    opened.on("error", ended);
    opened.on("end", ended);
  };

  connect();
  sendFrame();
  return {
    claim(claim) {
      claims.set(claim.lease, claim);
      news.named.add(claim.lease);
      news.forgotten.delete(claim.lease);
      flushSoon();
    },
    advertSent(lease) {
      news.spoken.add(lease);
      const wait = framedAt + advertsApartMillis - performance.now();
      if (wait <= 0) flushSoon();
      else if (!flushQueued) sendLater(Math.ceil(wait));
    },
    forget(lease) {
      standings.delete(lease);
      news.named.delete(lease);
      news.spoken.delete(lease);
      if (!claims.delete(lease)) return;
      news.forgotten.add(lease);
      flushSoon();
    },
    claimed: (lease) => claims.get(lease),
    refreshNow: flushSoon,
    ran() {
      if (heartbeatAt - performance.now() < soonMillis) sendFrame();
    },
    connected: () => greeted,
    received: () => received,
    close() {
      closed = true;
      clearTimeout(heartbeat);
      clearTimeout(later);
      stream?.cancel();
      client.close();
    },
  };
}

export function heartbeatMillis(claims: Iterable<LeaseClaim>): number {
  let shortest = Number.POSITIVE_INFINITY;
  for (const { lengthMicros } of claims) shortest = Math.min(shortest, heartbeatOf(micros(lengthMicros)) / 1_000);
  return Number.isFinite(shortest) ? Math.max(10, shortest) : idleHeartbeatMillis;
}
