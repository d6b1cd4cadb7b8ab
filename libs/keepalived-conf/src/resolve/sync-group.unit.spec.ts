import { describe, expect, test } from "vitest";
import { exitCodeOf } from "../diagnostics.ts";
import { codes, instance, parse } from "../testing/parse.ts";

const script = (name: string) => `vrrp_script ${name} {\nscript "/bin/true"\n}\n`;
const group = (members: string, lines = "", name = "G") =>
  `vrrp_sync_group ${name} {\ngroup {\n${members}\n}\n${lines}\n}\n`;
const instances = (lines = "") => instance(lines, "A", 1) + instance(lines, "B", 2, "10.0.0.2");

/** Groups with their members, and codes of what is said, but that groups are not carried out. */
function resolve(text: string) {
  const result = parse(text);
  const said = codes(result)
    .map((code) => code.replace(/ .*/, ""))
    .filter((code) => code !== "accepted" && code !== "script-security");
  const groups = result.config?.syncGroups.map(({ name, members }) => `${name}: ${members.join(" ")}`);
  return { groups, said, config: result.config, exit: exitCodeOf(result.diagnostics) };
}

describe("members", () => {
  test("before or after them, on one line or several", () => {
    for (const text of [group("A\nB") + instances(), instances() + group("A B")])
      expect(resolve(text)).toMatchObject({ groups: ["G: A B"], said: [], exit: 0 });
    expect(codes(parse(group("A B") + instances())).filter((code) => code.startsWith("accepted"))).toEqual([]);
  });

  test.each<[string, string[], string[]]>([
    ["A X", ["G: A"], ["lonely-group", "member-unknown"]],
    ["", [], ["empty-group", "empty-block"]],
    ["X", [], ["empty-group", "member-unknown"]],
    ["A B\nA", ["G: A B"], ["member-taken"]],
  ])("%j", (members, groups, said) =>
    expect(resolve(group(members) + instances())).toMatchObject({ groups, said, exit: 5 }),
  );

  test("an instance is in one group only", () => {
    const text = group("A B") + group("B A", "", "H") + instances();
    expect(resolve(text)).toMatchObject({
      groups: ["G: A B"],
      said: ["empty-group", "member-taken", "member-taken"],
    });
  });

  test("a second list loses the group; an empty one before it does not count", () => {
    // Its `}` ends the group for keepalived, and what follows is outside of it.
    const twice = resolve(group("A", "group {\nB\n}\nsmtp_alert") + instances());
    expect(twice).toMatchObject({ groups: [], said: ["repeated", "unknown-keyword", "unexpected-close-brace"] });
    const second = resolve(group("", "group {\nA B\n}") + instances());
    expect(second).toMatchObject({ groups: ["G: A B"], said: ["empty-block"], exit: 5 });
  });

  test("owners of their addresses and others do not go together", () => {
    const owner = instance("priority 255\nstate MASTER", "A", 1);
    const other = instance("state BACKUP", "B", 2, "10.0.0.2");
    expect(resolve(group("A B") + owner + other)).toMatchObject({ said: ["mixed-owners"], exit: 5 });
    // keepalived does not notice it when the owner comes second.
    expect(resolve(group("B A") + owner + other)).toMatchObject({ said: ["mixed-owners"], exit: 0 });
  });
});

describe("what a group says for its members", () => {
  test("weights, mail and scripts", () => {
    const lines =
      'sync_group_tracking_weight\nsmtp_alert\nnotify_master "/m"\nnotify_backup "/b"\nnotify_fault "/f"\nnotify_stop "/s"\nnotify "/n"';
    const { config, said } = resolve(group("A B", lines) + instances());
    const command = (text: string) => ({ text, argv: [text], run: "exec", user: undefined });
    expect(config?.syncGroups[0]).toMatchObject({
      trackingWeight: true,
      smtpAlert: true,
      notify: {
        master: command("/m"),
        backup: command("/b"),
        fault: command("/f"),
        stop: command("/s"),
        any: command("/n"),
      },
    });
    expect(said).toEqual([]);
  });

  test("global_tracking is the old name of sync_group_tracking_weight", () => {
    const { config, said, exit } = resolve(group("A B", "global_tracking") + instances());
    expect(config?.syncGroups[0]?.trackingWeight).toBe(true);
    expect([said, exit]).toEqual([["deprecated"], 5]);
  });

  test("mail is off unless asked for, here or above", () => {
    const mail = (text: string) => resolve(text + instances()).config?.syncGroups[0]?.smtpAlert;
    expect(mail(group("A B"))).toBe(false);
    expect(mail(`global_defs {\nsmtp_alert\n}\n${group("A B")}`)).toBe(true);
    expect(mail(`global_defs {\nsmtp_alert\nsmtp_alert_vrrp off\n}\n${group("A B")}`)).toBe(false);
    expect(mail(`global_defs {\nsmtp_alert\n}\n${group("A B", "smtp_alert off")}`)).toBe(false);
  });

  test("priority changes are told as instance, group and global_defs say, in this order", () => {
    const told = (above: string, own: string, at: string) =>
      resolve(`global_defs {\n${above}\n}\n${group("A B", own)}${instances(at)}`).config?.instances[0]
        ?.notifyPriorityChanges;
    expect(told("", "", "")).toBe(false);
    expect(told("vrrp_notify_priority_changes", "", "")).toBe(true);
    expect(told("vrrp_notify_priority_changes", "notify_priority_changes no", "")).toBe(false);
    expect(told("", "notify_priority_changes", "")).toBe(true);
    expect(told("", "notify_priority_changes", "notify_priority_changes off")).toBe(false);
  });
});

describe("tracking", () => {
  const tracked = (lines: string, at = "", members = instances(at)) =>
    resolve(script("chk") + group("A B", lines) + members);

  test("each kind, with its own weight", () => {
    const objects = `${script("chk")}track_file f {\nfile /run/x\n}\nvrrp_track_process p {\nprocess x\n}\nbfd_instance b {\nneighbor_ip 10.0.0.7\n}\n`;
    const lines =
      "track_interface {\neth1 weight 5\n}\ntrack_script {\nchk weight 2\n}\ntrack_file {\nf\n}\ntrack_process {\np weight -3 reverse\n}\ntrack_bfd {\nb\n}";
    const { config, said } = resolve(objects + group("A B", lines) + instances());
    const ref = (name: string, weight: number, reverse = false) => ({ name, weight, reverse });
    expect(config?.syncGroups[0]).toMatchObject({
      trackInterfaces: [ref("eth1", 5)],
      trackScripts: [ref("chk", 2)],
      trackFiles: [ref("f", 1)],
      trackProcesses: [ref("p", -3, true)],
      trackBfds: [ref("b", 0)],
    });
    expect(config?.scripts.map(({ name }) => name)).toEqual(["chk"]);
    expect(said).toEqual([]);
  });

  test("weights of members go, unless the group says that they may stay", () => {
    const at = "track_script {\nchk weight 4\n}\ntrack_interface {\neth1 weight 3\n}";
    const without = tracked("", at);
    expect(without.config?.instances[0]).toMatchObject({
      trackScripts: [],
      trackInterfaces: [{ name: "eth1", weight: 0, reverse: false }],
    });
    expect(without.said.filter((code) => code === "owner-weight")).toHaveLength(4);
    const allowed = tracked("sync_group_tracking_weight", at);
    expect(allowed.config?.instances[0]).toMatchObject({
      trackScripts: [{ name: "chk", weight: 4, reverse: false }],
      trackInterfaces: [{ name: "eth1", weight: 3, reverse: false }],
    });
    expect(allowed.said).not.toContain("owner-weight");
  });

  test("weights of the group go where a member is an owner", () => {
    const members = instance("priority 255", "A", 1) + instance("priority 255", "B", 2, "10.0.0.2");
    const { config, said } = tracked("track_script {\nchk weight 4\n}", "", members);
    expect(config?.syncGroups[0]?.trackScripts).toEqual([{ name: "chk", weight: 0, reverse: false }]);
    expect(said).toEqual(["owner-weight"]);
  });

  test("an interface that a member tracks, too", () => {
    expect(tracked("track_interface {\neth0\n}").said).toContain("tracked-twice");
    expect(tracked("track_interface {\neth0\n}", "dont_track_primary").said).not.toContain("tracked-twice");
    expect(tracked("track_interface {\neth1\n}", "track_interface {\neth1\n}").said).toContain("tracked-twice");
  });
});
