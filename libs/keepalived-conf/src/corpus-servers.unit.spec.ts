// Virtual servers, groups, real servers and checkers of the corpus: every value that keepalived 2.4.3 shows of them in its
// dump, against ours.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import type { CheckerConfig, Config } from "./config.ts";
import { readSamples, type Sample } from "./testing/corpus.ts";
import { type DumpedChecker, type Facts, resolveNames, type ServerDump } from "./testing/server-dump.ts";
import {
  checkerFacts,
  checkerLabelsIgnored,
  checkerOf,
  groupLine,
  realServerFacts,
  realServerLabelsIgnored,
  serverFacts,
  serverLabelsIgnored,
  sorryFacts,
  sorryLabelsIgnored,
  tlsFacts,
  urlFacts,
} from "./testing/server-facts.ts";

const folder = join(import.meta.dirname, "../../../../shared/corpus");
const present = existsSync(folder);
if (!present) console.warn("SKIPPED: ../shared/corpus is not there");

const read = (name: string): string | undefined => {
  const path = join(folder, name);
  return existsSync(path) ? readFileSync(path, "utf8") : undefined;
};

/** Where we understand a file otherwise, and why ours is right. */
const otherwise: Readonly<Record<string, string>> = {
  "198": "keepalived reads the hosts of SMTP_CHECK into the block around them; we take each as it is written",
  "226": "the same",
};

const samples: (Sample & { readonly server: ServerDump; readonly config: Config })[] = [];

/** Compares, and counts the values that were compared. */
class Comparison {
  readonly differences: string[] = [];
  compared = 0;

  facts(what: string, theirs: Facts, ours: Facts, ignored: readonly string[]): void {
    const labels = new Set([...theirs.keys(), ...ours.keys()]);
    for (const label of labels) {
      if (ignored.includes(label) || / notify script$|^Regex (options|ref)/.test(label)) continue;
      this.value(`${what}: ${label}`, theirs.get(label), ours.get(label));
    }
  }

  value(what: string, theirs: string | undefined, ours: string | undefined): void {
    this.compared++;
    if (theirs !== ours) this.differences.push(`${what}: keepalived ${theirs ?? "nothing"}, we ${ours ?? "nothing"}`);
  }

  /** What is compared cannot be less than this. */
  expectAll(kind: string, least: number): void {
    const accounted = this.differences.filter((difference) => otherwise[difference.split(" ")[0] ?? ""] !== undefined);
    console.info(
      `${kind}: ${this.compared} values compared, ${this.differences.length} differ, all of them accounted for: ${accounted.length}`,
    );
    for (const [file, reason] of Object.entries(otherwise)) {
      const count = accounted.filter((difference) => difference.startsWith(`${file} `)).length;
      if (count > 0) console.info(`  ${file}: ${count}: ${reason}`);
    }
    expect(this.differences.filter((difference) => !accounted.includes(difference))).toEqual([]);
    expect(this.compared).toBeGreaterThanOrEqual(least);
  }
}

describe.skipIf(!present)("keepalived's dump and our Config agree on", () => {
  beforeAll(() => {
    for (const sample of readSamples(read)) {
      const { config } = sample.result;
      const { servers } = sample;
      if (servers !== undefined && config !== undefined) samples.push({ ...sample, config, server: servers });
    }
  });

  test("groups and keys", () => {
    const comparison = new Comparison();
    for (const { verdict, server, config } of samples) {
      comparison.value(
        `${verdict.id} groups`,
        server.groups.join("\n"),
        config.virtualServerGroups.map(groupLine).join("\n"),
      );
      if (server.tls !== undefined || config.tls !== undefined)
        comparison.facts(
          `${verdict.id} SSL`,
          server.tls ?? new Map(),
          config.tls ? tlsFacts(config.tls) : new Map(),
          [],
        );
    }
    comparison.expectAll("groups and keys", 200);
  });

  test("virtual, sorry and real servers", () => {
    const comparison = new Comparison();
    let [virtual, real, sorry] = [0, 0, 0];
    for (const { verdict, server, config } of samples) {
      comparison.value(
        `${verdict.id} virtual servers`,
        String(server.servers.length),
        String(config.virtualServers.length),
      );
      for (const [index, theirs] of server.servers.entries()) {
        const ours = config.virtualServers[index];
        const what = `${verdict.id} virtual server ${index}`;
        if (ours === undefined) continue;
        virtual++;
        comparison.facts(what, theirs.facts, serverFacts(ours), serverLabelsIgnored);
        comparison.value(`${what}: real servers`, String(theirs.realServers.length), String(ours.realServers.length));
        for (const [place, facts] of theirs.realServers.entries()) {
          const mine = ours.realServers[place];
          if (mine === undefined) continue;
          real++;
          comparison.facts(`${what} real server ${place}`, facts, realServerFacts(mine), realServerLabelsIgnored);
        }
        if (theirs.sorry === undefined && ours.sorryServer === undefined) continue;
        sorry++;
        const mine = ours.sorryServer === undefined ? new Map() : sorryFacts(ours.sorryServer, ours);
        comparison.facts(`${what} sorry server`, theirs.sorry ?? new Map(), mine, sorryLabelsIgnored);
      }
    }
    console.info(`virtual servers: ${virtual}, real servers: ${real}, sorry servers: ${sorry}`);
    comparison.expectAll("servers", 2000);
  });

  test("checkers", () => {
    const comparison = new Comparison();
    const kinds = new Map<string, number>();
    for (const { verdict, server, config } of samples) {
      const ours = config.virtualServers.flatMap((service) =>
        service.realServers.flatMap((real) =>
          inTheirOrder(real.checkers).map((checker) => ({ of: checkerOf(service, real), checker })),
        ),
      );
      comparison.value(`${verdict.id} checkers`, String(server.checkers.length), String(ours.length));
      for (const [index, theirs] of server.checkers.entries()) {
        const mine = ours[index];
        const what = `${verdict.id} checker ${index}`;
        if (mine === undefined) continue;
        kinds.set(mine.checker.type, (kinds.get(mine.checker.type) ?? 0) + 1);
        comparison.value(`${what}: of`, theirs.of, mine.of);
        compareChecker(comparison, what, resolveNames(theirs, server), mine.checker);
      }
    }
    console.info(`checkers: ${[...kinds].map(([type, count]) => `${count} ${type}`).join(", ")}`);
    comparison.expectAll("checkers", 1000);
  });
});

/** keepalived adds those that follow files when it has read everything. */
const inTheirOrder = (checkers: readonly CheckerConfig[]): readonly CheckerConfig[] => [
  ...checkers.filter(({ type }) => type !== "FILE_CHECK"),
  ...checkers.filter(({ type }) => type === "FILE_CHECK"),
];

const pieces = ["Virtualhost", "Enable SNI", "SNI name", "tls_compliant"];

function compareChecker(comparison: Comparison, what: string, theirs: DumpedChecker, ours: CheckerConfig): void {
  comparison.facts(what, theirs.facts, checkerFacts(ours), [...checkerLabelsIgnored, ...pieces]);
  const urls = "urls" in ours ? ours.urls : [];
  comparison.value(`${what}: urls`, String(theirs.urls.length), String(urls.length));
  for (const [index, facts] of theirs.urls.entries()) {
    const mine = urls[index];
    if (mine !== undefined) comparison.facts(`${what} url ${index}`, facts, urlFacts(mine), ["Virtual host"]);
  }
}
