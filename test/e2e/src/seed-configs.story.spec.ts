// The users' own files, verbatim, on two routers: kill haproxy, touch the maintenance switch, and read what the notify
// scripts saw. The files are no part of this project; without them these tests skip, and say so.
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type BatonNode, type Lab, type LabProcess, type MailServer, waitFor } from "@baton/lab";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { discard, isType, labFor } from "./pair.ts";

const folder = fileURLToPath(new URL("../../../../shared/seed-configs/", import.meta.url));
const present = existsSync(folder);
if (!present) console.warn("SKIPPED: the users' configurations (../shared/seed-configs) are not here");
const seed = (name: string): string => readFileSync(`${folder}${name}`, "utf8");

/** What the comments in the file ask for on the other node. */
const mirrored = (text: string): string =>
  text.replaceAll(/state (MASTER|BACKUP)(.*)\n(\s*)priority (101|100)/g, (_all, state, rest, blank, priority) => {
    const [otherState, otherPriority] = [state === "MASTER" ? "BACKUP" : "MASTER", priority === "101" ? "100" : "101"];
    return `state ${otherState}${rest}\n${blank}priority ${otherPriority}`;
  });

/** Writes what it was called with; stands where the users' notify.sh does. */
const notifyScript = '#!/bin/bash\necho "$*" >> /run/notify.log\n';

describe.skipIf(!present)("the users' files", () => {
  const lab = labFor("seeds", { beforeAll, afterAll });
  const nodes: BatonNode[] = [];
  afterEach(async () => {
    for (const node of nodes.splice(0)) await discard(node);
    for (const { exec, removeFile } of lab.get().routers) {
      await exec("killall -q haproxy; rm -f /run/notify.log; ip address flush dev eth0 label 'eth0:*'");
      removeFile("/etc/keepalived/down");
    }
  });

  const address = async (lab: Lab, router: string, vip: string): Promise<boolean> =>
    (await lab.router(router).addresses()).includes(`${vip}/16`);
  const holder = (vip: string, router: "r1" | "r2"): Promise<unknown> =>
    waitFor(
      `${router} alone to hold ${vip}`,
      async () =>
        (await address(lab.get(), router, vip)) && !(await address(lab.get(), router === "r1" ? "r2" : "r1", vip)),
      { deadlineMs: 25_000 },
    );
  const notified = (router: string): string[] => {
    try {
      return lab.get().router(router).readFile("/run/notify.log").trim().split("\n");
    } catch {
      return [];
    }
  };

  async function begin(file: string, change: (text: string) => string = (text) => text) {
    const text = change(seed(file));
    const haproxies: LabProcess[] = [];
    for (const router of lab.get().routers) {
      router.writeFile("/etc/keepalived/notify.sh", notifyScript, 0o755);
      haproxies.push(await router.startStandIn("haproxy"));
    }
    const r1 = await lab.get().router("r1").startBaton(text);
    const r2 = await lab.get().router("r2").startBaton(mirrored(text));
    nodes.push(r1, r2);
    await Promise.all([r1.waitReady(), r2.waitReady()]);
    return { r1, r2, haproxies };
  }

  test("haproxy-active-backup.conf: haproxy dies, the address moves; the maintenance switch moves it and brings it back", async () => {
    const { r1 } = await begin("haproxy-active-backup.conf");
    await holder("172.16.100.1", "r1");
    const label = await lab.get().router("r1").exec("ip -4 -o address show label eth0:0");
    expect(label.stdout).toMatch(/172\.16\.100\.1\/16 .*eth0:0/);

    await lab.get().router("r1").exec("killall haproxy");
    await holder("172.16.100.1", "r2");
    expect((await r1.waitEvent(isType("became-backup"), "r1 to step down", 10_000)).aggregate.id).toBe("VI_1");
    await lab.get().router("r1").startStandIn("haproxy");
    await holder("172.16.100.1", "r1");

    lab.get().router("r1").writeFile("/etc/keepalived/down", "");
    await holder("172.16.100.1", "r2");
    lab.get().router("r1").removeFile("/etc/keepalived/down");
    await holder("172.16.100.1", "r1");

    await waitFor("the notify scripts", () => notified("r1").filter((each) => each === "master").length >= 3);
    expect(notified("r1").slice(0, 2)).toEqual(["backup", "master"]);
    expect(notified("r1").filter((each) => each === "backup").length).toBeGreaterThanOrEqual(3);
    expect(notified("r2")).toContain("master");
  });

  // A pair of its own: after more than four moves in three minutes pre-emption is held (SAFETY S12).
  test("haproxy-active-backup.conf: the link is lost, the scripts are told; it comes back with the address", async () => {
    await begin("haproxy-active-backup.conf");
    await holder("172.16.100.1", "r1");
    await lab.get().linkDown("r1");
    await waitFor("notify_fault", () => notified("r1").includes("fault"));
    await lab.get().linkUp("r1");
    await holder("172.16.100.1", "r1");
  });

  test("haproxy-dual-master.conf: an address on each; one node dies, the other has both", async () => {
    const { r1, r2 } = await begin("haproxy-dual-master.conf");
    await holder("172.16.100.1", "r1");
    await holder("172.16.100.2", "r2");
    await r1.stop();
    await holder("172.16.100.1", "r2");
    await holder("172.16.100.2", "r2");
    expect((await r2.status()).instances.map(({ state }) => state)).toEqual(["master", "master"]);
  });

  test("nginx-dual-master.conf: an undefined script and a long password are said, and it works all the same", async () => {
    const { r1 } = await begin("nginx-dual-master.conf");
    await holder("172.16.100.100", "r1");
    await holder("172.16.100.200", "r2");
    expect(r1.process.log()).toContain("chk_haproxy");
  });

  describe("mail", () => {
    const subjects = (server: MailServer): string[] => server.mails.map(({ subject }) => subject);

    test("verbatim none, as with keepalived", async () => {
      const server = await lab.get().router("r1").startMailServer();
      const { r1 } = await begin("haproxy-active-backup.conf");
      await holder("172.16.100.1", "r1");
      await r1.waitEvent(
        (each) => each.event.type === "notification-delivered" && each.event.data.state === "MASTER",
        "notify_master",
      );
      expect(subjects(server)).toEqual([]);
      await server.process.stop();
    });

    test("with smtp_alert, with keepalived's subjects, to both addresses", async () => {
      const server = await lab.get().router("r1").startMailServer();
      await begin("haproxy-active-backup.conf", (text) =>
        text.replace("virtual_router_id 51", "virtual_router_id 51\n\tsmtp_alert"),
      );
      await holder("172.16.100.1", "r1");
      const mail = await server.waitMail(({ subject }) => subject.includes("Entering MASTER state"), "the mail");
      expect(mail.subject).toBe("[LVS_DEVEL] VRRP Instance VI_1 - Entering MASTER state");
      expect(mail.from).toBe("kanotify@magedu.com");
      expect([...mail.to].sort()).toEqual(["linuxedu@foxmail.com", "mageedu@126.com"]);
      expect(subjects(server)[0]).toBe("[LVS_DEVEL] VRRP Instance VI_1 - Entering BACKUP state");
      await server.process.stop();
    });
  });
});
