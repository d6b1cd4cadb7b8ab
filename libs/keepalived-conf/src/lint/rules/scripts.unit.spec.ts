import { describe, expect, test } from "vitest";
import { lintFindings } from "../../testing/lint.ts";
import { instance } from "../../testing/parse.ts";

/** What is told of a file in which everybody may write to /open. */
const told = (text: string): string[] =>
  lintFindings(text, [], {
    pathWeakness: (path) => (path.startsWith("/open/") ? { path: "/open", reason: "everybody" } : undefined),
  }).map(({ line, message }) => `${line} ${message.replace(/:.*/, "")}`);

const checkedBy = (command: string, more = "") =>
  `vrrp_script chk {\nscript "${command}"\n${more}\n}\n${instance("priority 100\ntrack_script {\nchk\n}")}`;

describe("a script that an interpreter runs", () => {
  test.each([
    ["/bin/sh /open/a.sh", true],
    ["/usr/bin/bash -x /open/a.sh b", true],
    ["python3.11 /open/a.py", true],
    ["/bin/sh /closed/a.sh", false],
    ["/bin/sh -c /open/a.sh", false],
    ["/bin/cat /open/a.sh", false],
    ["/bin/sh open/a.sh", false],
    ["/bin/sh", false],
    ["/usr/bin/sshd /open/a.sh", false],
  ])("%s", (command, insecure) => expect(told(checkedBy(command))).toEqual(insecure ? ["2 vrrp_script chk"] : []));

  test("as another user than root is that user's", () => {
    expect(told(checkedBy("/bin/sh /open/a.sh", "user root"))).toEqual(["2 vrrp_script chk"]);
    expect(told(checkedBy("/bin/sh /open/a.sh", "user nobody"))).toEqual([]);
  });

  test("when something happens", () => {
    const notify = 'notify_fault "/bin/sh /open/a.sh"\nnotify_deleted "/bin/sh /open/a.sh"';
    expect(told(instance(`priority 100\n${notify}`))).toEqual(["6 notify_fault of VI_1", "7 notify_deleted of VI_1"]);
    const group = 'vrrp_sync_group G {\ngroup {\nVI_1\nVI_2\n}\nnotify "/bin/sh /open/a.sh"\n}\n';
    const members = instance("priority 100") + instance("priority 100", "VI_2", 52, "10.0.0.2");
    expect(told(group + members)).toEqual(["6 notify of G"]);
  });
});

test("the message names the part of the path", () => {
  const [finding] = lintFindings(checkedBy("/bin/sh /open/a.sh"), [], {
    pathWeakness: () => ({ path: "/open", reason: "group" }),
  });
  expect(finding?.message).toBe(
    "vrrp_script chk: a group other than root's may write to /open, so others can change what /bin/sh runs as root",
  );
});
