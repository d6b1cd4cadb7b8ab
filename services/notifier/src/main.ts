// Composition root of the notifier: scripts at once, mails through outbox and queue. It follows; nobody waits for it.
import { hostname, userInfo } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { subjectToken } from "@baton/contracts";
import { secondsToMicros } from "@baton/domain";
import { type Host, readCredentials, startHost } from "@baton/host";
import { resolveUser } from "@baton/linux";
import { identityOf, scriptEnvironment } from "@baton/script";
import { openFifos } from "./fifos.ts";
import { createMailReport } from "./mail/mail-report.ts";
import { createMailer, type MailHandlers } from "./mail/mailer.ts";
import { mailServer } from "./mail/message.ts";
import { openMailOutbox } from "./mail/outbox.ts";
import type { MailQueue } from "./mail/queue.ts";
import { smtpSender } from "./mail/smtp.ts";
import { createNotificationCounters } from "./notification-counters.ts";
import { runNotifier } from "./run-notifier.ts";
import { openToldStore } from "./told-store.ts";

/** A mail that STOP has just caused may still go out; what does not goes out at the next start. */
const settleMillis = 300;
/** `notify.script_grace` of the settings. keepalived has no limit, but lets later states' scripts run beside a hung one. */
const defaultGrace = secondsToMicros(60);

await main();

async function main(): Promise<void> {
  const host = await startHost({ service: "notifier" });
  const { node, version } = host.env;
  const folder = join(host.env.stateDir, "notifier");
  const sender = { node, hostName: hostname(), userName: userInfo().username };
  const counters = createNotificationCounters();
  let snapshot = await host.config.current();

  const mailer = createMailer({
    outbox: await openMailOutbox(join(folder, "mail.jsonl"), (line) => {
      host.log.warn("a line of the mail outbox is no mail", { line: line.slice(0, 200) });
    }),
    send: smtpSender({ hostName: sender.hostName, version }),
    report: createMailReport(host, counters),
    currentServer: () => mailServer(snapshot.config.global),
    openQueue: (handlers) => openQueue(host, handlers, () => snapshot.settings.redis?.url),
    onQueueError: (error) => host.log.error("the mail queue cannot be opened; mails wait", { cause: error }),
    onDiskError: (error) => host.log.error("the mail outbox cannot be written", { cause: error }),
  });
  host.own(mailer);

  const store = openToldStore({
    path: join(folder, "told.jsonl"),
    onUnreadable: (error) => host.log.warn("what was told before cannot be read", { cause: error }),
  });
  const own = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  const environment = scriptEnvironment(process.env);
  const notifier = runNotifier(
    {
      host,
      store,
      counters,
      environment,
      lookup: resolveUser,
      own,
      sender,
      fifos: openFifos({
        log: host.log,
        environment,
        lookup: resolveUser,
        identityOf: (command, { global }) => identityOf(command, global.scriptUser, resolveUser, own),
        isSuccessor: host.env.restarts > 0,
      }),
      defaultGrace,
      post: (mail) => mailer.post(mail),
      timeOf: (at) => new Date(Date.now() - (host.now() - at) / 1_000).toISOString(),
    },
    snapshot,
  );
  host.own(notifier);
  host.config.onChange((next) => {
    snapshot = next;
    notifier.configure(next);
  });

  host.onStop(async () => {
    await notifier.leave();
    await mailer.settle(settleMillis);
  });
  await host.serveWatch({ states: () => notifier.states(), counters: () => counters.samples(mailer.waiting()) });
  host.ready();
}

async function openQueue(host: Host, handlers: MailHandlers, ofSettings: () => string | undefined): Promise<MailQueue> {
  const { openMailQueue, patientRetry } = await import("./mail/queue.ts");
  return openMailQueue({
    ...handlers,
    url: await redisUrl(host.env.runDir, ofSettings),
    prefix: `baton-${subjectToken(host.env.node)}`,
    retry: patientRetry,
    onTrouble: (what, error) => host.log.warn(`mails wait: ${what}`, { cause: error }),
  });
}

/** The supervisor writes the credentials before it starts us; a node without them names its Redis in the settings. */
async function redisUrl(runDir: string, ofSettings: () => string | undefined): Promise<string> {
  for (;;) {
    const url = (await readCredentials(runDir))?.redis.url ?? ofSettings();
    if (url !== undefined) return url;
    await pause(500);
  }
}
