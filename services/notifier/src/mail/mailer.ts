// The way of a mail: outbox (on disk), queue (Redis), SMTP server, and out of the outbox again. Each step may be taken
// twice after a crash, and only one of them, the server's acceptance, is seen by people: it is written down at once and
// looked up before every attempt.

import type { Mail, MailServer } from "./message.ts";
import type { MailOutbox } from "./outbox.ts";
import type { Ending, MailQueue } from "./queue.ts";
import { PermanentFailure } from "./queue.ts";
import { type Attempt, addressIn, type Refusal, type SendMail } from "./smtp.ts";

/** What a queue calls back; the queue itself is opened with them. */
export interface MailHandlers {
  deliver(mail: Mail, attempt: number): Promise<void>;
  onReady(): void;
  onFinished(id: string, ending: Ending): void;
}

export interface MailReport {
  delivered(mail: Mail, attempts: number, detail: string): void;
  failed(mail: Mail, attempts: number, final: boolean, error: string): void;
  /** Around each attempt: what `end` is told becomes the attempt's span. */
  attempt(mail: Mail, attempts: number): { end(error?: string): void };
}

export interface MailerOptions {
  readonly outbox: MailOutbox;
  readonly send: SendMail;
  readonly report: MailReport;
  /** The server that the configuration names now: a reload may have corrected it since the mail was written. */
  currentServer(): MailServer | undefined;
  /** Called when there is a first mail: BullMQ is half of this process's memory, and most nodes send none. */
  openQueue(handlers: MailHandlers): Promise<MailQueue>;
  onQueueError(error: Error): void;
  /** The outbox could not be written. */
  onDiskError(error: Error): void;
}

export interface Mailer {
  /** Resolves when the mail is on disk, and handed to Redis if that is there. */
  post(mail: Mail): Promise<void>;
  waiting(): number;
  /** Resolves when nothing waits any more, or after so long. */
  settle(millis: number): Promise<void>;
  close(): Promise<void>;
}

/** A queue that did not take a mail although it was ready is asked again after this time. */
const againMillis = 2_000;
/** More open mails than this, and a flapping instance would fill the disk while Redis or the server is away for days. */
export const openMailsMax = 10_000;

export function createMailer(options: MailerOptions): Mailer {
  const { outbox, report } = options;
  /** Redis has taken them, as far as we know. */
  const handedIn = new Set<string>();
  /** Redis may know of them from before it went away. */
  const unverified = new Set<string>();
  const state: { queue: MailQueue | undefined; opening: Promise<void> | undefined; closed: boolean } = {
    queue: undefined,
    opening: undefined,
    closed: false,
  };
  const handIn = serialized(handInWaiting);

  async function openQueue(): Promise<void> {
    try {
      const queue = await options.openQueue({ deliver, onReady, onFinished });
      state.queue = queue;
      if (state.closed) await queue.close();
    } catch (error) {
      state.opening = undefined; // `again` tries once more.
      options.onQueueError(error as Error);
    }
  }

  function needQueue(): void {
    if (outbox.open().length > 0) state.opening ??= openQueue();
  }

  // What an earlier process left.
  needQueue();
  const again = setInterval(() => {
    needQueue();
    if (state.queue?.ready === true && handedIn.size < outbox.open().length) void handIn();
  }, againMillis);
  again.unref();

  async function post(mail: Mail): Promise<void> {
    if (outbox.open().length >= openMailsMax) {
      return report.failed(mail, 0, true, `${openMailsMax} mails wait already`);
    }
    try {
      if (!(await outbox.add(mail))) return;
    } catch (error) {
      // Redis is the next best place to keep it.
      options.onDiskError(error as Error);
    }
    needQueue();
    await handIn();
  }

  /** Redis is there anew, and may have lost jobs, or have finished some whose end was not heard. */
  function onReady(): void {
    handedIn.clear();
    for (const { mail } of outbox.open()) unverified.add(mail.id);
    void handIn();
  }

  /** In the order of the outbox: a new mail does not overtake those that waited for Redis. */
  async function handInWaiting(): Promise<void> {
    for (const { mail } of outbox.open()) {
      if (handedIn.has(mail.id)) continue;
      const ending = unverified.has(mail.id) ? await state.queue?.endingOf(mail.id).catch(() => undefined) : undefined;
      if (ending !== undefined) onFinished(mail.id, ending);
      else if ((await state.queue?.enqueue(mail)) === true) handedIn.add(mail.id);
      else return; // Away again: onReady begins anew.
      unverified.delete(mail.id);
    }
  }

  async function deliver(mail: Mail, attempt: number): Promise<void> {
    const accepted = new Set(outbox.get(mail.id)?.accepted);
    const to = mail.to.map(addressIn).filter((recipient) => !accepted.has(recipient));
    // A job that is run again after a crash between the server's acceptance and the end of the job.
    if (to.length === 0) return report.delivered(mail, attempt, "accepted earlier");
    const span = report.attempt(mail, attempt);
    const result = await options.send(mail, to, options.currentServer() ?? mail.server);
    if (result.accepted.length > 0) await remember(() => outbox.accept(mail.id, result.accepted));
    const error = judgeAttempt(result);
    span.end(error?.message);
    if (error === undefined) return report.delivered(mail, attempt, deliveredDetail(result));
    if (!(error instanceof PermanentFailure) && isPowerOfTwo(attempt)) {
      // Not each of hundreds of attempts is news.
      report.failed(mail, attempt, false, error.message);
    }
    throw error;
  }

  function onFinished(id: string, ending: Ending): void {
    const open = outbox.get(id);
    handedIn.delete(id);
    if (open === undefined) return;
    if (ending.state === "failed") report.failed(open.mail, ending.attempts, true, ending.error);
    void remember(() => outbox.done(id));
  }

  async function remember(write: () => Promise<void>): Promise<void> {
    try {
      await write();
    } catch (error) {
      options.onDiskError(error as Error);
    }
  }

  return {
    post,
    waiting: () => outbox.open().length,
    async settle(millis) {
      const end = performance.now() + millis;
      while (outbox.open().length > 0 && state.queue?.ready === true && performance.now() < end) {
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    },
    async close() {
      state.closed = true;
      clearInterval(again);
      await state.queue?.close();
      await outbox.close();
    },
  };
}

/** One at a time; a call that comes while it runs makes it run once more, and resolves with that. */
function serialized(work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  let next: Promise<void> | undefined;
  const run = async (): Promise<void> => {
    try {
      await work();
    } finally {
      running = undefined;
    }
  };
  return () => {
    if (running === undefined) {
      running = run();
      return running;
    }
    next ??= running.then(() => {
      next = undefined;
      running = run();
      return running;
    });
    return next;
  };
}

/** Undefined: nobody is left to be asked again. */
function judgeAttempt({ accepted, refused, answer }: Attempt): Error | undefined {
  const told = refused.length === 0 ? answer : describe(refused);
  if (refused.some((refusal) => !refusal.permanent)) return new Error(told);
  // Some took it and the others never will: delivered, and its detail names those.
  return accepted.length === 0 ? new PermanentFailure(told) : undefined;
}

const describe = (refused: readonly Refusal[]): string =>
  refused.map(({ recipient, answer }) => `${recipient}: ${answer}`).join("; ");

const deliveredDetail = ({ refused, answer }: Attempt): string =>
  refused.length === 0 ? answer : `${answer}; refused for ${describe(refused)}`;

const isPowerOfTwo = (value: number): boolean => (value & (value - 1)) === 0;
