import { describe, expect, test } from "vitest";
import type { NotifyState } from "../state-change.ts";
import { change, command, global, instance, noScripts } from "../testing/fixtures.ts";
import { mailOf } from "./message.ts";

const sender = { node: "r1", hostName: "router1.example.org", userName: "root" };
const alerting = instance({ smtpAlert: true });
const mail = (over: Parameters<typeof change>[0] = {}, ofGlobal: Parameters<typeof global>[0] = {}, of = alerting) =>
  mailOf(change(over), of, global(ofGlobal), sender);

describe("keepalived's subjects", () => {
  test.each([
    ["MASTER", "[LVS_DEVEL] VRRP Instance VI_1 - Entering MASTER state"],
    ["BACKUP", "[LVS_DEVEL] VRRP Instance VI_1 - Entering BACKUP state"],
    ["FAULT", "[LVS_DEVEL] VRRP Instance VI_1 - Entering FAULT state"],
    ["STOP", "[LVS_DEVEL] VRRP Instance VI_1 - Stopping"],
    ["DELETED", "[LVS_DEVEL] VRRP Instance VI_1 - Entering FAULT state"],
  ] satisfies [NotifyState, string][])("%s", (state, subject) => expect(mail({ state })?.subject).toBe(subject));

  test("Deleted, where notify_deleted is set", () => {
    const told = instance({
      smtpAlert: true,
      notify: { ...noScripts, tellDeleted: true, deleted: command("/bin/true") },
    });
    expect(mail({ state: "DELETED" }, {}, told)?.subject).toBe("[LVS_DEVEL] VRRP Instance VI_1 - Deleted");
  });
  test("a group", () => {
    const told = mail({ subject: "group", instance: "VI_1" });
    expect(told?.subject).toBe("[LVS_DEVEL] VRRP Group VI_1 - Entering MASTER state");
    expect(told?.text).not.toContain("VRID");
  });
  test("cut at 256", () => expect(mail({}, { routerId: "x".repeat(300) })?.subject.length).toBe(256));
});

describe("no mail", () => {
  test("without smtp_alert", () => expect(mail({}, {}, instance())).toBeUndefined());
  test("without smtp_server", () => expect(mail({}, { smtpServer: undefined })).toBeUndefined());
  test("of FAULT with no_email_faults, of all else nevertheless", () => {
    const told = (["MASTER", "BACKUP", "FAULT", "STOP", "DELETED"] as const).filter(
      (state) => mail({ state }, { noEmailFaults: true }) !== undefined,
    );
    expect(told).toEqual(["MASTER", "BACKUP", "STOP"]);
  });
  test("without notification_email", () => expect(mail({}, { notificationEmail: [] })).toBeUndefined());
});

test("who, to whom, through what", () => {
  expect(mail()).toMatchObject({
    from: "kanotify@example.org",
    to: ["linuxedu@example.org", "mageedu@example.org"],
    date: "2026-01-02T03:04:05.678901Z",
    server: { host: "127.0.0.1", port: 25, heloName: undefined, timeoutMillis: 3_000 },
  });
  expect(mail({}, { notificationEmailFrom: undefined })?.from).toBe("root@router1.example.org");
});

test("the body says why, and how to find the whole story", () => {
  expect(mail()?.text).toBe(
    [
      "VI_1 on r1 is now MASTER.",
      "",
      "reason:      master-down-expired",
      "time:        2026-01-02T03:04:05.678901Z",
      "priority:    101",
      "term:        7",
      "interface:   eth0",
      "VRID:        51",
      "addresses:   172.16.100.1",
      "host:        router1.example.org",
      "event:       0190-e",
      "correlation: 0190-c",
      "",
    ].join("\n"),
  );
  expect(mail({ replayed: true })?.text).toMatch(/Told late/);
});

test("one change is one id, which BullMQ accepts: no colon, and not a bare number", () => {
  const ids = [mail(), mail({ state: "BACKUP" }), mail({ cause: { id: "", correlationId: "" }, instance: "a:b" })];
  for (const each of ids) expect(each?.id).toMatch(/^mail-[^:]+$/);
  expect(new Set(ids.map((each) => each?.id)).size).toBe(3);
  expect(mail()?.id).toBe(mail({ replayed: true })?.id);
});
