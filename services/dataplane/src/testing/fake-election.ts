// Election's end of the lease for tests: frames when the test says so, every answer kept with the time it came.
import {
  ClaimState,
  type LeaseClaim,
  type LeaseConfirm,
  type LeaseFrame,
  type LeaseHello,
  type LeaseReply,
  LeaseServiceClient,
  type LeaseStatus,
} from "@baton/contracts";
import { clientOptions } from "@baton/host";
import { bootNow } from "@baton/linux";
import { type ClientDuplexStream, credentials } from "@grpc/grpc-js";

export interface Answer {
  readonly at: number;
  readonly confirm: LeaseConfirm;
}

export class FakeElection {
  readonly answers: Answer[] = [];
  hello: LeaseHello | undefined;
  ended: string | undefined;
  readonly #client: LeaseServiceClient;
  readonly #stream: ClientDuplexStream<LeaseFrame, LeaseReply>;
  readonly #waiting = new Set<() => void>();
  #sequence = 0;
  #heartbeat: NodeJS.Timeout | undefined;

  constructor(socketPath: string) {
    this.#client = new LeaseServiceClient(`unix:${socketPath}`, credentials.createInsecure(), clientOptions);
    this.#stream = this.#client.hold();
    this.#stream.on("data", ({ reply }: LeaseReply) => {
      if (reply?.$case === "hello") this.hello = reply.value;
      if (reply?.$case === "confirm") this.answers.push({ at: bootNow(), confirm: reply.value });
      this.#wake();
    });
    this.#stream.on("error", (error: Error) => {
      this.ended ??= error.message;
      this.#wake();
    });
    this.#stream.on("end", () => {
      this.ended ??= "end";
      this.#wake();
    });
  }

  /** Returns when it was sent. */
  send(claims: readonly LeaseClaim[], more: Partial<LeaseFrame> = {}): number {
    const sentAt = bootNow();
    this.#stream.write({
      sequence: ++this.#sequence,
      sentAt,
      configGeneration: 1,
      claims: [...claims],
      partial: false,
      forgotten: [],
      adverts: [],
      ...more,
    });
    return sentAt;
  }

  /** A frame now and every fifth of two seconds, until the next call of send-like methods or `rest`. */
  beat(claims: readonly LeaseClaim[], more: Partial<LeaseFrame> = {}): void {
    this.rest();
    this.send(claims, more);
    this.#heartbeat = setInterval(() => this.send(claims, more), 400);
  }

  rest(): void {
    clearInterval(this.#heartbeat);
  }

  statuses(): LeaseStatus[] {
    return this.answers.flatMap(({ confirm }) => confirm.leases);
  }

  last(): LeaseStatus | undefined {
    return this.statuses().at(-1);
  }

  /** Resolves at the moment `condition` holds; looks at each answer. */
  async until(what: string, condition: () => boolean, patienceMs = 5_000): Promise<void> {
    const deadline = Date.now() + patienceMs;
    while (!condition()) {
      const left = deadline - Date.now();
      if (left <= 0)
        throw new Error(`not within ${patienceMs} ms: ${what}; last answer ${JSON.stringify(this.last())}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.min(left, 20));
        this.#waiting.add(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  close(): void {
    this.rest();
    this.#stream.cancel();
    this.#client.close();
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }
}

export const claim = (more: Partial<LeaseClaim> = {}): LeaseClaim => ({
  lease: "VI_1",
  term: 1,
  state: ClaimState.HOLD,
  lengthMicros: 2_000_000,
  priority: 101,
  lastAdvertAt: 0,
  peerHeardAt: 0,
  authCounter: 0,
  instances: ["VI_1"],
  announce: 0,
  announceReason: "",
  eventId: "",
  correlationId: "",
  traceparent: "",
  successorHeard: false,
  ...more,
});
