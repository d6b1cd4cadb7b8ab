import { syncGroup } from "@baton/keepalived-conf/testing";
import { describe, expect, test } from "vitest";
import { scriptJobs, subjectOfGroup } from "./script-jobs.ts";
import type { NotifyState } from "./state-change.ts";
import { change, command, instance, noScripts } from "./testing/fixtures.ts";

const notify = {
  ...noScripts,
  master: command("/etc/keepalived/notify.sh master"),
  backup: command("/etc/keepalived/notify.sh backup"),
  fault: command("/etc/keepalived/notify.sh fault"),
  stop: command("/etc/keepalived/notify.sh stop"),
  any: command("/etc/keepalived/any.sh -v"),
};
const words = (state: NotifyState, over = {}) =>
  scriptJobs(change({ state }), instance({ name: "VI 1", notify: { ...notify, ...over } }), 103).map((job) => [
    ...job.command.argv,
    ...job.appended,
  ]);
const any = (state: string) => ["/etc/keepalived/any.sh", "-v", "INSTANCE", "VI 1", state, "103"];

test("a group's own scripts, and its generic one with GROUP and no priority", () => {
  const { deleted: _deleted, tellDeleted: _tell, lowerPriority: _lower, ...own } = notify;
  const group = subjectOfGroup(syncGroup({ name: "VG 1", notify: own }));
  const jobs = scriptJobs(change({ subject: "group", instance: "VG 1", state: "FAULT" }), group, group.priority);
  expect(jobs.map(({ command: { argv }, appended }) => [...argv, ...appended])).toEqual([
    ["/etc/keepalived/notify.sh", "fault"],
    ["/etc/keepalived/any.sh", "-v", "GROUP", "VG 1", "FAULT", "0"],
  ]);
});

describe("the state's script with exactly its words, then the generic one", () => {
  test.each([
    ["MASTER", "master"],
    ["BACKUP", "backup"],
    ["FAULT", "fault"],
    ["STOP", "stop"],
  ] as const)("%s", (state, word) => expect(words(state)).toEqual([["/etc/keepalived/notify.sh", word], any(state)]));
  test("a deleted instance is told as FAULT", () =>
    expect(words("DELETED")).toEqual([["/etc/keepalived/notify.sh", "fault"], any("FAULT")]));
  test("unless notify_deleted is set", () =>
    expect(words("DELETED", { deleted: command("/bin/gone"), tellDeleted: true })).toEqual([
      ["/bin/gone"],
      any("DELETED"),
    ]));
  test("what is not configured is not run", () => {
    expect(words("MASTER", { master: undefined })).toEqual([any("MASTER")]);
    expect(words("MASTER", { any: undefined })).toEqual([["/etc/keepalived/notify.sh", "master"]]);
    expect(words("MASTER", noScripts)).toEqual([]);
  });
});
