// Mails with a real Redis and a real SMTP server: each arrives once, whatever of the two is away in between.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { EventEnvelope } from "@baton/domain";
import { createTestHost, type TestHost } from "@baton/host/testing";
import { Queue } from "bullmq";
import { Redis } from "ioredis";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { createNotificationCounters } from "../notification-counters.ts";
import type { NotifyState } from "../state-change.ts";
import { change, global, instance } from "../testing/fixtures.ts";
import { createTestRedis, freePort, type TestRedis } from "../testing/redis.ts";
import { startTestSmtp, type TestSmtp } from "../testing/smtp.ts";
import { createMailReport } from "./mail-report.ts";
import { createMailer, type Mailer } from "./mailer.ts";
import { type Mail, mailOf } from "./message.ts";
import { openMailOutbox } from "./outbox.ts";
import { openMailQueue, patientRetry, type RetryPolicy } from "./queue.ts";
import { smtpSender } from "./smtp.ts";

const sender = { node: "r1", hostName: "router1.example.org", userName: "root" };
const quickRetry: RetryPolicy = { attemptsMax: 500, backoffMillis: () => 50, lockMillis: 500 };
const world = { folder: "", prefix: "", smtpPort: 0, count: 0 };
const closing: { close(): Promise<void> }[] = [];
let redis: TestRedis;

beforeAll(async () => {
  redis = await createTestRedis();
});
afterAll(() => redis.close());
beforeEach(async () => {
  world.folder = mkdtempSync(join(tmpdir(), "baton-mail-"));
  world.prefix = `test-${world.count++}`;
  world.smtpPort = await freePort();
});
afterEach(async () => {
  for (const each of closing.splice(0).reverse()) await each.close();
  rmSync(world.folder, { recursive: true });
});

async function startMailer(over: { retry?: RetryPolicy } = {}): Promise<{ mailer: Mailer; host: TestHost }> {
  const host = createTestHost({ service: "notifier" });
  const mailer = createMailer({
    outbox: await openMailOutbox(join(world.folder, "mail.jsonl"), () => undefined),
    send: smtpSender({ hostName: sender.hostName, version: "0.1.0" }),
    report: createMailReport(host, createNotificationCounters()),
    currentServer: () => undefined,
    openQueue: async (handlers) =>
      openMailQueue({
        ...handlers,
        url: redis.url,
        prefix: world.prefix,
        retry: over.retry ?? quickRetry,
        onTrouble: (what) => host.log.warn(what),
      }),
    onQueueError: (error) => host.log.error(error.message),
    onDiskError: (error) => host.log.error(error.message),
  });
  closing.push(mailer);
  return { mailer, host };
}

async function startSmtp(options: { offersTls?: boolean } = {}): Promise<TestSmtp> {
  const smtp = await startTestSmtp(world.smtpPort, options);
  closing.push(smtp);
  return smtp;
}

function mail(id: string, state: NotifyState = "MASTER"): Mail {
  const made = mailOf(
    change({
      state,
      cause: { id, correlationId: `story-${id}`, traceparent: `00-${"a".repeat(32)}-${"b".repeat(16)}-01` },
    }),
    instance({ smtpAlert: true }),
    global({ smtpServer: { host: "127.0.0.1", port: world.smtpPort } }),
    sender,
  );
  if (made === undefined) throw new Error("the fixture asks for mail");
  return made;
}
const eventually = (check: () => void) => vi.waitFor(check, { timeout: 20_000, interval: 10 });
const told = (host: TestHost, type: EventEnvelope["event"]["type"]) =>
  host.appended.filter(({ event }) => event.type === type);
/** Long enough for a second delivery to show, were there one: the queue has nothing left to do. */
async function nothingIsLeft(mailer: Mailer): Promise<void> {
  await eventually(() => expect(mailer.waiting()).toBe(0));
  const connection = new Redis(redis.url);
  const queue = new Queue("mail", { connection, prefix: world.prefix });
  await vi.waitFor(async () => expect(await queue.getJobCountByTypes("waiting", "active", "delayed")).toBe(0), {
    timeout: 10_000,
  });
  await queue.close();
  connection.disconnect();
}

describe("with everything there", () => {
  beforeAll(() => redis.start());
  afterAll(() => redis.kill());

  test("a mail arrives: keepalived's subject, From and To; our X-Mailer; the event's time", async () => {
    const smtp = await startSmtp();
    const { mailer, host } = await startMailer();
    await mailer.post(mail("e1"));
    await eventually(() => expect(smtp.mails.length).toBe(1));
    const [received] = smtp.mails;
    expect(received).toMatchObject({
      from: "kanotify@example.org",
      to: ["linuxedu@example.org", "mageedu@example.org"],
      subject: "[LVS_DEVEL] VRRP Instance VI_1 - Entering MASTER state",
      helo: "router1.example.org",
    });
    const header = (name: string) => received?.headers.get(name);
    expect(header("From")).toBe("kanotify@example.org");
    expect(header("To")).toBe("linuxedu@example.org, mageedu@example.org");
    expect(header("X-Mailer")).toBe("Baton 0.1.0");
    expect(header("Date")).toBe("Fri, 02 Jan 2026 03:04:05 +0000");
    expect(header("Message-ID")).toBe("<mail-MASTER-e1@router1.example.org>");
    expect(received?.body).toMatch(/^VI_1 on r1 is now MASTER\.\n\nreason: {6}master-down-expired/);
    await nothingIsLeft(mailer);
    const [delivered] = told(host, "notification-delivered");
    expect(delivered).toMatchObject({
      aggregate: { kind: "notification", id: "VI_1" },
      causationId: "e1",
      correlationId: "story-e1",
      event: {
        data: { state: "MASTER", channel: "mail", attempts: 1, target: "linuxedu@example.org mageedu@example.org" },
      },
    });
    const span = host.spans.find(({ name }) => name === "notification.deliver");
    expect(span?.parent).toBe(`00-${"a".repeat(32)}-${"b".repeat(16)}-01`);
    expect(delivered?.traceparent).toBe(span?.traceparent);
  });

  test("mails arrive in order, each once, also when handed in twice", async () => {
    const smtp = await startSmtp();
    const { mailer } = await startMailer();
    const mails = ["1", "2", "3", "4", "5"].map((id) => mail(id, Number(id) % 2 === 0 ? "BACKUP" : "MASTER"));
    await Promise.all([...mails, ...mails].map((each) => mailer.post(each)));
    await nothingIsLeft(mailer);
    const stories = smtp.mails.map(({ headers }) => headers.get("X-Baton-Correlation"));
    expect(stories).toEqual(mails.map(({ cause }) => cause.correlationId));
  });

  test("a server that offers encryption gets it, whoever signed its certificate", async () => {
    const smtp = await startSmtp({ offersTls: true });
    const { mailer } = await startMailer();
    await mailer.post(mail("tls"));
    await nothingIsLeft(mailer);
    expect(smtp.mails.map(({ encrypted }) => encrypted)).toEqual([true]);
  });

  test("SMTP down, then up: retried, delivered once, and what was tried is told", async () => {
    const { mailer, host } = await startMailer();
    await mailer.post(mail("down"));
    await eventually(() => expect(told(host, "notification-failed").length).toBeGreaterThan(1));
    const smtp = await startSmtp();
    await nothingIsLeft(mailer);
    expect(smtp.mails.length).toBe(1);
    const failed = told(host, "notification-failed").map(({ event }) => event.data);
    expect(failed[0]).toMatchObject({ attempts: 1, final: false, error: expect.stringMatching(/ECONNREFUSED/) });
    expect(failed.every((data) => "final" in data && !data.final)).toBe(true);
    const [delivered] = told(host, "notification-delivered");
    expect(delivered?.event.data).toMatchObject({ attempts: expect.any(Number) });
    if (delivered?.event.type === "notification-delivered") expect(delivered.event.data.attempts).toBeGreaterThan(2);
  });

  test("a recipient that is refused for ever: given up at once, kept as a dead letter", async () => {
    const smtp = await startSmtp();
    for (const address of mail("x").to) smtp.refuse.set(address, 550);
    const { mailer, host } = await startMailer();
    await mailer.post(mail("dead"));
    await nothingIsLeft(mailer);
    expect(told(host, "notification-failed").map(({ event }) => event.data)).toMatchObject([
      {
        attempts: 1,
        final: true,
        error: expect.stringMatching(/linuxedu@example.org: 550 no linuxedu@example.org here/),
      },
    ]);
    expect(smtp.mails).toEqual([]);
    const connection = new Redis(redis.url);
    const queue = new Queue<Mail>("mail", { connection, prefix: world.prefix });
    expect((await queue.getFailed()).map((job) => job.data.subject)).toEqual([mail("dead").subject]);
    await queue.close();
    connection.disconnect();
  });

  test("attempts that run out: final, and told once", async () => {
    const { mailer, host } = await startMailer({ retry: { ...quickRetry, attemptsMax: 3 } });
    await mailer.post(mail("spent"));
    await nothingIsLeft(mailer);
    const final = told(host, "notification-failed").filter(({ event }) => "final" in event.data && event.data.final);
    expect(final.map(({ event }) => event.data)).toMatchObject([{ attempts: 3 }]);
  });

  test("one recipient is refused for now: the other has the mail once, both have it in the end", async () => {
    const smtp = await startSmtp();
    smtp.refuse.set("mageedu@example.org", 450);
    const { mailer, host } = await startMailer();
    await mailer.post(mail("half"));
    await eventually(() => expect(told(host, "notification-failed").length).toBeGreaterThan(1));
    smtp.refuse.clear();
    await nothingIsLeft(mailer);
    expect(smtp.mails.map(({ to }) => to)).toEqual([["linuxedu@example.org"], ["mageedu@example.org"]]);
    expect(told(host, "notification-delivered").length).toBe(1);
  });

  test("a notifier that died after the server's acceptance does not send again", async () => {
    const smtp = await startSmtp();
    const outbox = await openMailOutbox(join(world.folder, "mail.jsonl"), () => undefined);
    await outbox.add(mail("accepted"));
    await outbox.accept(mail("accepted").id, mail("accepted").to);
    await outbox.close();
    const { mailer, host } = await startMailer();
    await nothingIsLeft(mailer);
    expect(smtp.mails).toEqual([]);
    expect(told(host, "notification-delivered").length).toBe(1);
  });

  test("a notifier that died while it waited to try again: the next one does", async () => {
    const first = await startMailer({ retry: { ...quickRetry, backoffMillis: () => 300 } });
    await first.mailer.post(mail("crash"));
    await eventually(() => expect(told(first.host, "notification-failed").length).toBe(1));
    await first.mailer.close();
    const smtp = await startSmtp();
    const second = await startMailer();
    await nothingIsLeft(second.mailer);
    expect(smtp.mails.length).toBe(1);
  });

  test("a notifier that died in the middle of sending: the next one sends it", async () => {
    const smtp = await startSmtp();
    smtp.hang = true;
    const first = await startMailer();
    await first.mailer.post(mail("middle"));
    await eventually(() => expect(smtp.busy).toBe(1));
    await first.mailer.close();
    smtp.hang = false;
    const second = await startMailer();
    await nothingIsLeft(second.mailer);
    expect(smtp.mails.length).toBe(1);
  });

  test("the patient policy goes on for about a day", () => {
    const waits = Array.from({ length: patientRetry.attemptsMax - 1 }, (_, index) =>
      patientRetry.backoffMillis(index + 1),
    );
    expect(waits.slice(0, 4)).toEqual([1_000, 2_000, 4_000, 8_000]);
    expect(Math.max(...waits)).toBe(300_000);
    expect(waits.reduce((sum, wait) => sum + wait, 0) / 3_600_000).toBeCloseTo(24, 0);
  });
});

describe("with Redis away", () => {
  afterEach(() => redis.kill());

  test("absent at the start: posting waits for nobody; the mail goes out when Redis comes", async () => {
    const smtp = await startSmtp();
    const { mailer, host } = await startMailer();
    await mailer.post(mail("early"));
    await mailer.post(mail("early-2", "BACKUP"));
    expect(mailer.waiting()).toBe(2);
    await eventually(() => expect(host.lines.map(({ message }) => message)).toEqual(["redis-away"]));
    await redis.start();
    await mailer.post(mail("early-3", "FAULT"));
    await nothingIsLeft(mailer);
    const states = ["MASTER", "BACKUP", "FAULT"] as const;
    expect(smtp.mails.map(({ subject }) => subject)).toEqual(states.map((state) => mail("x", state).subject));
  });

  test("SIGKILL while mails wait to be tried again: each arrives once", async () => {
    await redis.start();
    const { mailer, host } = await startMailer();
    await mailer.post(mail("killed"));
    await eventually(() => expect(told(host, "notification-failed").length).toBeGreaterThan(0));
    await redis.kill();
    await mailer.post(mail("killed-2", "BACKUP"));
    const smtp = await startSmtp();
    await redis.start();
    await nothingIsLeft(mailer);
    expect(smtp.mails.map(({ subject }) => subject).sort()).toEqual([mail("x", "BACKUP").subject, mail("x").subject]);
  });

  test("a Redis that lost everything: each arrives once", async () => {
    await redis.start();
    const { mailer, host } = await startMailer();
    await mailer.post(mail("lost"));
    await eventually(() => expect(told(host, "notification-failed").length).toBeGreaterThan(0));
    await redis.kill();
    redis.forget();
    const smtp = await startSmtp();
    await redis.start();
    await nothingIsLeft(mailer);
    expect(smtp.mails.length).toBe(1);
  });

  test("killed again and again under a stream of mails: none is lost, none comes twice", async () => {
    await redis.start();
    const smtp = await startSmtp();
    const { mailer } = await startMailer();
    const ids = Array.from({ length: 60 }, (_, index) => `stream-${index}`);
    for (const [index, id] of ids.entries()) {
      await mailer.post(mail(id, index % 2 === 0 ? "MASTER" : "BACKUP"));
      if (index % 20 === 10) await redis.kill();
      if (index % 20 === 15) await redis.start();
    }
    await nothingIsLeft(mailer);
    const received = smtp.mails.map(({ headers }) => headers.get("X-Baton-Correlation"));
    expect(received.sort()).toEqual(ids.map((id) => `story-${id}`).sort());
  });
});
