// No false alarms: what the rules say of real files of other people, each finding looked at and found to be right.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type ParseResult, parseConfig } from "../parse-config.ts";
import { lint } from "./lint.ts";
import { codeOf } from "./rule.ts";
import { rules } from "./rules.ts";

const folder = join(import.meta.dirname, "../../../../../shared/corpus");
const present = existsSync(folder);
if (!present) console.warn("SKIPPED: ../shared/corpus is not there");

const read = (name: string, configId?: string): ParseResult => {
  const text = readFileSync(join(folder, `${name}.conf`), "utf8");
  const file = configId === undefined ? name : `${name}@${configId}`;
  return parseConfig({
    file,
    hostName: "r1",
    configId,
    readFile: (path) => (path === file ? { text } : { error: "not in the corpus" }),
  });
};

/** What the parser finds as well is compared with keepalived itself. */
const ownCodes = new Set(rules.filter(({ by }) => by === "lint").map(codeOf)).add("lint/unknown-rule");

const told = (file: ParseResult, peers: readonly ParseResult[]): string[] =>
  lint({ files: [file], peers })
    .filter(({ code }) => ownCodes.has(code))
    .map(({ file: name, line, code }) => `${name}:${line} ${code.replace("lint/", "")}`);

const sample = "a sample of VRRP and one of virtual servers in one file";

/** Why each of them is right. */
const alone: Readonly<Record<string, string>> = {
  "016:7 slow-check": "each minute, five times; the comment beside it says two seconds",
  "082:10 slow-check": "15 s, four times",
  "110:21 mail-without-server": "smtp_server was left as <smtp.domain.com>",
  "162:13 slow-check": "20 s, three times",
  "162:21 slow-check": "20 s, three times",
  "162:29 slow-check": "20 s, three times",
  "164:19 slow-check": "60 s, three times",
  "166:14 master-without-priority": "for a node that it has no lines for",
  "166:41 master-without-priority": "for a node that it has no lines for",
  "175:40 unused-object": "its group is commented out",
  "175:44 unused-object": "its group is commented out",
  "181:6 master-without-priority": "no priority at all",
  "181:13 address-of-nobody": sample,
  "181:22 real-server-is-virtual": "by tunnel to the director itself",
  "196:7 unused-object": "the virtual_server of it is commented out",
  "199:30 address-of-nobody": sample,
  "199:55 address-of-nobody": sample,
  "207:26 address-of-nobody": sample,
  "217:19 mail-without-server": "without global_defs",
  "221:36 address-of-nobody": sample,
  "221:61 address-of-nobody": sample,
  "221:109 address-of-nobody": sample,
  "225:8 unused-object": "the virtual_server of it is commented out",
  "227:30 address-of-nobody": sample,
  "227:55 address-of-nobody": sample,
  "233:26 address-of-nobody": sample,
  "243:19 mail-without-server": "without global_defs",
};

/** Of files whose lines are for one node or another: the nodes are each other's peers. */
const nodes: Readonly<Record<string, string>> = {
  "162 equal-priorities": "150 on both",
  "162 unicast-on-one-side": "both peers of the block are for one node",
  "166 several-masters": "MASTER on both",
  "168 equal-priorities": "100 on both",
  "175 unused-object": "its group is commented out",
  "178 unicast-not-mutual": "both nodes have one unicast_src_ip",
  "180 equal-priorities": "149 on both",
  "181 equal-priorities": "255 by default on both, for state MASTER",
  "181 master-without-priority": "no priority at all",
  "181 several-masters": "MASTER on both",
  "185 equal-priorities": "100 on both",
  "191 equal-priorities": "the third node has 100 by default, as the second has",
  "201 weight-without-effect": "180 and 95 are more than 20 apart",
  "228 weight-without-effect": "180 and 95 are more than 20 apart",
};

describe.skipIf(!present)("real files", () => {
  test("alone", () => {
    const names = readdirSync(folder)
      .filter((name) => name.endsWith(".conf"))
      .map((name) => name.replace(".conf", ""));
    const findings = names.flatMap((name) => told(read(name), []));
    console.info(`files: ${names.length}, findings: ${findings.length}`);
    expect(findings).toEqual(Object.keys(alone));
  });

  test("with the other nodes that they are for", () => {
    const verdicts = readFileSync(join(folder, "verdicts-config-id.jsonl"), "utf8").trim().split("\n");
    const ids = new Map<string, Set<string>>();
    for (const line of verdicts) {
      const { id, config_id } = JSON.parse(line) as { id: string; config_id: string };
      ids.set(id, (ids.get(id) ?? new Set()).add(config_id));
    }
    const findings = [...ids].flatMap(([name, own]) => {
      const files = [...own].map((id) => read(name, id));
      return files.flatMap((file) =>
        told(
          file,
          files.filter((other) => other !== file),
        ).map((finding) => finding.replace(/@\w+:\d+/, "")),
      );
    });
    const beyond = [...new Set(findings)].filter((finding) => !/slow-check|real-server|address-of/.test(finding));
    expect(beyond.toSorted()).toEqual(Object.keys(nodes));
  });
});
