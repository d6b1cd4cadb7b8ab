import { describe, expect, test } from "vitest";
import { lintFindings, lintTold } from "../../testing/lint.ts";
import { instance } from "../../testing/parse.ts";

const script = (name: string, lines = "") => `vrrp_script ${name} {\nscript "/bin/true"\n${lines}\n}\n`;
/** Scripts `a`, `b`, … with these weights, tracked. */
const router = (priority: number, weights: readonly (number | string)[], lines = ""): string => {
  const names = weights.map((_, index) => "abcdefghijklmnop"[index] ?? "");
  const tracked = names.map((name, index) => `${name} weight ${weights[index]}`).join("\n");
  return (
    names.map((name) => script(name)).join("") +
    instance(`priority ${priority}\n${lines}\ntrack_script {\n${tracked}\n}`)
  );
};
/** Names of the trackers that are told to be without effect. */
const without = (own: string, ...peers: readonly string[]): string[] =>
  lintFindings(own, peers)
    .filter(({ code }) => code === "lint/weight-without-effect")
    .map(({ text }) => text?.split(" ")[0] ?? "");

describe("a weight that can never move the addresses", () => {
  test.each<[string, string, string, string[]]>([
    ["leads below the peer", router(110, [-11]), router(100, []), []],
    ["leads to the peer's own priority", router(110, [-10]), router(100, []), ["a"]],
    ["stays above the peer", router(110, [-9]), router(100, []), ["a"]],
    ["lifts a backup above its peer", router(100, [11]), router(110, []), []],
    ["lifts a backup to its peer's priority", router(100, [10]), router(110, []), []],
    ["lifts a backup not far enough", router(100, [9]), router(110, []), ["a"]],
    ["helps another one below the peer", router(110, [-6, -5]), router(100, []), []],
    ["does not help another one enough", router(110, [-5, -5]), router(100, []), ["a", "b"]],
    ["decides for some state of the peer's trackers", router(110, [-6]), router(100, [5]), []],
    ["decides for none of them", router(110, [-4]), router(100, [5]), ["a"]],
    ["is cut off before it gets there", router(5, [-10]), router(1, []), ["a"]],
    ["is reversed: it lowers while well", router(110, ["11 reverse"]), router(100, []), []],
    ["is reversed, and too little", router(110, ["-5 reverse"]), router(116, []), ["a"]],
    ["is reversed, and enough", router(110, ["-6 reverse"]), router(115, []), []],
    ["is a fault", router(110, [0]), router(100, []), []],
  ])("%s", (_what, own, peer, expected) => expect(without(own, peer)).toEqual(expected));

  test("one of several peers is enough", () => {
    expect(without(router(110, [-20]), router(80, []), router(100, []))).toEqual([]);
    expect(without(router(110, [-20]), router(80, []), router(85, []))).toEqual(["a"]);
  });

  test("a peer with nopreempt never takes over", () => {
    expect(without(router(110, [-50]), router(100, [], "nopreempt"))).toEqual(["a"]);
    expect(without(router(110, [-50]), router(100, [], "nopreempt"), router(90, []))).toEqual([]);
    const [finding] = lintFindings(router(110, [-50]), [router(100, [], "nopreempt")]);
    expect(finding?.message).toBe(
      "a can lower the priority of VI_1, but VI_1 of peer1.conf has nopreempt and leaves any master alone",
    );
  });

  test("without the peer's file nothing is known", () => expect(without(router(110, [-1]))).toEqual([]));

  test("the message has the numbers", () => {
    const message = (weight: number) => lintFindings(router(110, [weight]), [router(100, [])])[0]?.message;
    expect(message(-10)).toBe(
      "a moves the priority of VI_1 between 100 and 110: at worst it equals that of VI_1 of peer1.conf, and a backup takes over from a lower one only",
    );
    expect(message(-5)).toBe(
      "a moves the priority of VI_1 between 105 and 110, and never past that of VI_1 of peer1.conf",
    );
  });

  describe("of a sync group", () => {
    const second = instance("priority 110", "VI_2", 52, "10.0.0.2");
    const group = (lines: string) => `vrrp_sync_group G {\ngroup {\nVI_1\nVI_2\n}\n${lines}\n}\n${second}`;
    const weighted = (weight: number) => `track_interface {\neth9 weight ${weight}\n}\nsync_group_tracking_weight`;
    const peers = router(100, []) + instance("", "VI_2", 52, "10.0.0.2");

    test("a member's own is not judged: it does not move alone", () => {
      expect(without(router(110, [-1]) + group("sync_group_tracking_weight"), peers)).toEqual([]);
    });
    test("what the group tracks is, for all members together", () => {
      expect(without(router(110, []) + group(weighted(-1)), peers)).toEqual(["eth9"]);
      expect(without(router(110, []) + group(weighted(-11)), peers)).toEqual([]);
      const lower = router(110, []) + instance("priority 105", "VI_2", 52, "10.0.0.2");
      expect(without(lower + group(weighted(-6)).replace(second, ""), peers)).toEqual([]);
    });
  });

  test("the numbers in files may be any", () => {
    const file = "track_file f {\nfile /tmp/f\n}\n";
    expect(without(file + instance("priority 110\ntrack_file {\nf weight 1\n}"), router(100, []))).toEqual([]);
    const peer = file + instance("priority 50\ntrack_file {\nf weight 1\n}");
    expect(without(router(110, [-1]), peer)).toEqual([]);
  });

  test("processes and BFD sessions are trackers too", () => {
    const own =
      "vrrp_track_process p {\nprocess /bin/x\n}\nbfd_instance b {\nneighbor_ip 10.0.0.9\n}\n" +
      instance("priority 110\ntrack_process {\np weight -5\n}\ntrack_bfd {\nb weight -4\n}");
    expect(without(own, router(100, []))).toEqual(["p", "b"]);
    expect(without(own, router(102, []))).toEqual([]);
  });

  test("an interface is a tracker too", () => {
    const own = instance("priority 110\ntrack_interface {\neth1 weight -5\n}");
    expect(lintTold(own, [router(100, [])])).toEqual(["weight-without-effect 7"]);
  });

  test("many trackers are judged by their extremes", () => {
    const weights = new Array<number>(14).fill(-1);
    expect(without(router(110, weights), router(97, []))).toEqual([]);
    expect(without(router(110, weights), router(95, []))).toHaveLength(14);
  });
});

describe("a weight that is cut off", () => {
  test.each<[number, readonly number[], string[]]>([
    [254, [5], ["weight-cut 7"]],
    [253, [5], []],
    [254, [5, -5], []],
    [1, [-5], ["weight-cut 7"]],
    [255, [5], []],
  ])("priority %j, weights %j", (priority, weights, expected) => {
    const told = lintTold(`${router(priority, weights)}`).filter((rule) => rule.startsWith("weight-cut"));
    expect(told.map((rule) => rule.replace(/ \d+/, " 7"))).toEqual(expected);
  });
});

describe("a slow check", () => {
  const slow = (lines: string, more = "") => lintTold(script("a", lines) + instance(`${more}\ntrack_script {\na\n}`));
  test.each([
    ["interval 30", "", []],
    ["interval 31", "", ["slow-check 3"]],
    ["interval 11\nfall 3", "", ["slow-check 3"]],
    ["interval 31", "advert_int 2", []],
  ])("%j %j", (lines, more, expected) => expect(slow(lines, more)).toEqual(expected));

  test("is told once, however many track it", () => {
    const both = instance("track_script {\na\n}") + instance("track_script {\na\n}", "VI_2", 52, "10.0.0.2");
    expect(lintTold(script("a", "interval 60") + both)).toEqual(["slow-check 3"]);
  });
});

describe("a check of the virtual address", () => {
  const checked = (command: string) =>
    lintTold(`vrrp_script a {\nscript "${command}"\n}\n${instance("track_script {\na\n}")}`);
  test.each([
    ["/usr/bin/curl -k https://10.0.0.1:6443/healthz", true],
    ["ping -c1 10.0.0.1", true],
    ["/bin/sh -c 'nc -z 10.0.0.1 80'", true],
    ["/usr/bin/curl http://10.0.0.11/", false],
    ["/usr/bin/curl http://110.0.0.1/", false],
    ["/sbin/ip route get 10.0.0.1", false],
    ["/usr/bin/grep 10.0.0.1 /etc/hosts", false],
  ])("%s", (command, told) => expect(checked(command)).toEqual(told ? ["check-of-virtual-address 2"] : []));
});
