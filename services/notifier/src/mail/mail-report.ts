// What became of a mail, as events in the story of the change that it tells of, and as spans in its trace.
import { type BatonEvent, millisToMicros } from "@baton/domain";
import type { Host } from "@baton/host";
import { attribute, spanName } from "@baton/telemetry";
import type { NotificationCounters } from "../notification-counters.ts";
import type { MailReport } from "./mailer.ts";
import type { Mail } from "./message.ts";

export function createMailReport(
  host: Pick<Host, "events" | "tracer" | "log">,
  counters: NotificationCounters,
): MailReport {
  // The attempt under way: its span is the one in which its events are appended.
  const traces = new Map<string, string>();
  const append = (mail: Mail, event: BatonEvent): void => {
    const aggregate = { kind: "notification", id: mail.story ?? mail.instance } as const;
    host.events.append(aggregate, event, mail.cause, traces.get(mail.id));
  };
  const about = (mail: Mail, attempts: number) => ({
    instance: mail.instance,
    state: mail.state,
    channel: "mail",
    target: mail.to.join(" "),
    attempts,
  });
  return {
    attempt(mail, attempts) {
      const span = host.tracer.span(spanName.notificationDeliver, {
        parent: mail.cause.traceparent,
        kind: "client",
        attributes: {
          [attribute.instance]: mail.instance,
          [attribute.state]: mail.state,
          [attribute.channel]: "mail",
          [attribute.target]: mail.to.join(" "),
          [attribute.attempts]: attempts,
          [attribute.replayed]: mail.replayed,
          [attribute.eventId]: mail.cause.id,
        },
      });
      traces.set(mail.id, span.traceparent);
      return { end: (error) => span.end(error === undefined ? {} : { error }) };
    },
    delivered(mail, attempts, detail) {
      // By the wall clock: a mail may be delivered after the machine was started anew.
      const durationMs = Math.max(0, Date.now() - Date.parse(mail.date));
      const data = { ...about(mail, attempts), durationMs, replayed: mail.replayed, detail };
      append(mail, { type: "notification-delivered", data });
      traces.delete(mail.id);
      counters.ended("mail", "delivered", millisToMicros(durationMs));
      host.log.info(`mail delivered: ${mail.subject}`, { attempts, answer: detail });
    },
    failed(mail, attempts, final, error) {
      append(mail, { type: "notification-failed", data: { ...about(mail, attempts), final, error } });
      if (final) traces.delete(mail.id);
      counters.ended("mail", "failed", millisToMicros(0));
      host.log.warn(`mail ${final ? "given up" : "not delivered yet"}: ${mail.subject}`, { attempts, error });
    },
  };
}
