// The mail queue on the node's Redis: BullMQ keeps what is to be tried when, and the dead letters. Redis may be away at
// any time, also at the start: nothing here waits for it, the outbox has every mail.
import { Queue, UnrecoverableError, Worker } from "bullmq";
import { Redis } from "ioredis";
import type { Mail } from "./message.ts";
import { isMail } from "./outbox.ts";

export interface MailQueueOptions {
  readonly url: string;
  /** Keys of this node only: the settings may name a Redis that others use too. */
  readonly prefix: string;
  readonly retry: RetryPolicy;
  /** One attempt. Rejects with PermanentFailure when asking again is of no use, with anything else to be asked again. */
  deliver(mail: Mail, attempt: number): Promise<void>;
  /** Redis is there (again): what it may have lost can be handed in once more. */
  onReady(): void;
  onFinished(id: string, ending: Ending): void;
  /** Redis went away, or it is there and something else is wrong. Each is told once until the next onReady. */
  onTrouble(what: "redis-away" | "queue-error", error: Error): void;
}

export interface RetryPolicy {
  readonly attemptsMax: number;
  backoffMillis(attempt: number): number;
  /** A notifier that died while sending: its job is taken up again after this time. */
  readonly lockMillis: number;
}

/** From one second on, doubling, then every five minutes; given up after about a day. */
export const patientRetry: RetryPolicy = {
  attemptsMax: 296,
  backoffMillis: (attempt) => Math.min(1_000 * 2 ** Math.min(attempt - 1, 20), 300_000),
  lockMillis: 15_000,
};

export type Ending =
  | { readonly state: "delivered" }
  | { readonly state: "failed"; readonly attempts: number; readonly error: string };

export class PermanentFailure extends Error {
  constructor(message: string) {
    super(message);
    this.name = "PermanentFailure";
  }
}

export interface MailQueue {
  readonly ready: boolean;
  /** False when Redis did not take it: it is to be handed in again at the next onReady. Handing in twice is one job. */
  enqueue(mail: Mail): Promise<boolean>;
  /** What became of a job; undefined while it is under way, or Redis does not know it. */
  endingOf(id: string): Promise<Ending | undefined>;
  close(): Promise<void>;
}

const queueName = "mail";
/** Both are longer than a mail waits in the outbox: as long as Redis keeps the job, its id is not accepted twice. */
const keepDeliveredSeconds = 7 * 86_400;
const keepFailedSeconds = 30 * 86_400;
const enqueueMillisMax = 5_000;
const closeMillisMax = 300;
const reconnectMillis = (times: number): number => Math.min(50 * 2 ** Math.min(times, 10), 1_000);

interface Parts {
  readonly queue: Queue<Mail>;
  readonly worker: Worker<Mail>;
}

export function openMailQueue(options: MailQueueOptions): MailQueue {
  // The producer fails at once while Redis is away; the worker's connection waits for it.
  const producer = new Redis(options.url, {
    enableOfflineQueue: false,
    maxRetriesPerRequest: 1,
    retryStrategy: reconnectMillis,
  });
  const consumer = new Redis(options.url, { maxRetriesPerRequest: null, retryStrategy: reconnectMillis });
  const state: { parts: Parts | undefined; told: Set<string>; closed: boolean } = {
    parts: undefined,
    told: new Set(),
    closed: false,
  };

  const note = (error: Error): void => {
    const what = producer.status === "ready" && consumer.status === "ready" ? "queue-error" : "redis-away";
    if (!state.told.has(what) && !state.closed) options.onTrouble(what, error);
    state.told.add(what);
  };
  const begin = async (): Promise<void> => {
    try {
      state.parts ??= await build(options, producer, consumer, note);
      if (producer.status !== "ready" || state.closed) return;
      state.told.clear();
      options.onReady();
    } catch (error) {
      // Redis went away between the two; the next ready tries again.
      note(error as Error);
    }
  };
  producer.on("error", note);
  consumer.on("error", note);
  producer.on("ready", () => void begin());

  return {
    get ready() {
      return state.parts !== undefined && producer.status === "ready";
    },
    async enqueue(mail) {
      const { parts } = state;
      if (parts === undefined || producer.status !== "ready") return false;
      try {
        await within(enqueueMillisMax, parts.queue.add("mail", mail, jobOptions(mail, options.retry)));
        return true;
      } catch (error) {
        note(error as Error);
        return false;
      }
    },
    endingOf: (id) => endingOf(state.parts?.queue, id),
    async close() {
      state.closed = true;
      // An attempt under way is not waited for: its mail is in the outbox, its job is found stalled later.
      await within(closeMillisMax, Promise.all([state.parts?.worker.close(true), state.parts?.queue.close()])).catch(
        () => undefined,
      );
      producer.disconnect();
      consumer.disconnect();
    },
  };
}

async function build(
  options: MailQueueOptions,
  producer: Redis,
  consumer: Redis,
  note: (error: Error) => void,
): Promise<Parts> {
  const { prefix, retry } = options;
  const queue = new Queue<Mail>(queueName, { connection: producer, prefix });
  queue.on("error", note);
  try {
    await queue.waitUntilReady();
  } catch (error) {
    await queue.close().catch(() => undefined);
    throw error;
  }
  const worker = new Worker<Mail>(queueName, (job) => attempt(options, job.data, job.attemptsMade + 1), {
    connection: consumer,
    prefix,
    // One after the other: the order of the mails is that of the states, as far as the server takes them.
    concurrency: 1,
    lockDuration: retry.lockMillis,
    stalledInterval: retry.lockMillis,
    // A process that is killed again and again must not turn a mail into a dead letter.
    maxStalledCount: 1_000,
    settings: { backoffStrategy: (attemptsMade) => retry.backoffMillis(attemptsMade) },
  });
  worker.on("error", note);
  worker.on("completed", (job) => {
    if (job.id !== undefined) options.onFinished(job.id, { state: "delivered" });
  });
  worker.on("failed", (job, error) => {
    if (job?.id === undefined) return;
    const isFinal = error.name === "UnrecoverableError" || job.attemptsMade >= retry.attemptsMax;
    if (isFinal) options.onFinished(job.id, { state: "failed", attempts: job.attemptsMade, error: error.message });
  });
  return { queue, worker };
}

async function attempt(options: MailQueueOptions, data: unknown, number: number): Promise<void> {
  if (!isMail(data)) throw new UnrecoverableError("the job is no mail of Baton");
  try {
    await options.deliver(data, number);
  } catch (error) {
    if (error instanceof PermanentFailure) throw new UnrecoverableError(error.message);
    throw error;
  }
}

const jobOptions = (mail: Mail, retry: RetryPolicy) => ({
  jobId: mail.id,
  attempts: retry.attemptsMax,
  backoff: { type: "custom" },
  removeOnComplete: { age: keepDeliveredSeconds },
  removeOnFail: { age: keepFailedSeconds },
});

async function endingOf(queue: Queue<Mail> | undefined, id: string): Promise<Ending | undefined> {
  const job = await queue?.getJob(id);
  if (job === undefined) return undefined;
  if (await job.isCompleted()) return { state: "delivered" };
  if (!(await job.isFailed())) return undefined;
  return { state: "failed", attempts: job.attemptsMade, error: job.failedReason ?? "" };
}

async function within<T>(millis: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer from Redis within ${millis} ms`)), millis);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
