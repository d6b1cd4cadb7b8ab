// The election's end of the mastership lease (SAFETY S3): claims go out at once and with every heartbeat, each answer
// says what dataplane read back from the kernel. One stream; it reconnects by itself.
import {
  type LeaseClaim,
  type LeaseConfirm,
  type LeaseFrame,
  type LeaseRecord,
  type LeaseReply,
  LeaseServiceClient,
  type LeaseStatus,
} from "@baton/contracts";
import type { Instant } from "@baton/domain";
import { clientOptions } from "@baton/host";
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
  /** The lease is over: it is not claimed any more. */
  forget(lease: string): void;
  claimed(lease: string): LeaseClaim | undefined;
  /** A frame now, at the end of the current turn: what every frame carries has changed (the configuration generation). */
  refreshNow(): void;
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
/** A heartbeat every fifth of the shortest lease (SAFETY S3); this one when nothing is claimed. */
const idleHeartbeatMillis = 1_000;

export function openLeaseClient(options: LeaseClientOptions): LeaseClient {
  // A restarted dataplane must be found well within a lease: no backoff of a second.
  const client = new LeaseServiceClient(`unix:${options.socketPath}`, credentials.createInsecure(), {
    ...clientOptions,
    "grpc.max_reconnect_backoff_ms": reconnectMillis.max,
  });
  const claims = new Map<string, LeaseClaim>();
  let stream: ClientDuplexStream<LeaseFrame, LeaseReply> | undefined;
  let greeted = false;
  let closed = false;
  let backoffMillis: number = reconnectMillis.min;
  let sequence = 0;
  let received = 0;
  let lastAnsweredSentAt = 0 as Instant;
  let flushQueued = false;
  let heartbeat: NodeJS.Timeout | undefined;

  const sendFrame = (): void => {
    clearTimeout(heartbeat);
    if (closed) return;
    const rehearsing = greeted && sequence < rehearsal.frames;
    heartbeat = setTimeout(sendFrame, rehearsing ? rehearsal.everyMillis : heartbeatMillis(claims.values()));
    if (stream === undefined || !greeted) return;
    stream.write({
      sequence: ++sequence,
      sentAt: options.now(),
      configGeneration: options.configGeneration(),
      claims: [...claims.values()].map(options.refresh),
    });
  };

  const flushSoon = (): void => {
    if (flushQueued) return;
    flushQueued = true;
    queueMicrotask(() => {
      flushQueued = false;
      sendFrame();
    });
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
    for (const status of confirm.leases) {
      // An answer to an older claim says nothing about the present one.
      if (claims.get(status.lease)?.term === status.term) options.onStatus(status, lastAnsweredSentAt);
    }
  };

  const connect = (): void => {
    if (closed) return;
    const opened = client.hold();
    stream = opened;
    greeted = false;
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
      flushSoon();
    },
    forget(lease) {
      if (claims.delete(lease)) flushSoon();
    },
    claimed: (lease) => claims.get(lease),
    refreshNow: flushSoon,
    connected: () => greeted,
    received: () => received,
    close() {
      closed = true;
      clearTimeout(heartbeat);
      stream?.cancel();
      client.close();
    },
  };
}

export function heartbeatMillis(claims: Iterable<LeaseClaim>): number {
  let shortest = Number.POSITIVE_INFINITY;
  for (const claim of claims) shortest = Math.min(shortest, claim.lengthMicros / 5_000);
  return Number.isFinite(shortest) ? Math.max(10, shortest) : idleHeartbeatMillis;
}
