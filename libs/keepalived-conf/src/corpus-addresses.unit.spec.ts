// Addresses, routes, rules, peers and virtual MACs of real files, word for word as keepalived 2.4.3 dumped them.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import type { InstanceConfig, VirtualAddressConfig } from "./config.ts";
import { isComparable, readSamples, type Sample } from "./testing/corpus.ts";
import { dumpedAddress, dumpedPeer, dumpedRoute, dumpedRule } from "./testing/dump-lines.ts";
import type { DumpedInstance } from "./testing/keepalived-dump.ts";

const folder = join(import.meta.dirname, "../../../../shared/corpus");
const present = existsSync(folder);
if (!present) console.warn("SKIPPED: ../shared/corpus is not there");

/** What is compared of one subject: ours and theirs, by what it is. */
type Pairs = Readonly<Record<string, readonly [ours: readonly string[], theirs: readonly string[]]>>;

/** Of an address on a virtual MAC keepalived tells the interface that it made: its name depends on what else is there. */
const isMade = (name: string | undefined): boolean => name !== undefined && /^vrrp\d*\.\d+$/.test(name);
const deviceOf = (line: string): string | undefined => / dev (\S+)/.exec(line)?.[1]?.split("@")[0];
const withoutMade = (line: string): string =>
  isMade(deviceOf(line)) ? line.replace(/ dev \S+( use_vmac)?/, " on a virtual MAC") : line;

function addressLine(address: VirtualAddressConfig, { vmac }: InstanceConfig): string {
  const line = dumpedAddress(address);
  if (address.vmac === "none") return line;
  const named = address.vmac === "instance" && vmac?.name !== undefined && !isMade(vmac.name);
  return line.replace(/ dev \S+/, named ? ` dev ${vmac.name}` : " on a virtual MAC");
}

/** Weights of next hops are shown where they were written only. */
const routeLine = (line: string): string => line.replace(/ weight \d+/g, "");

function pairsOf(ours: InstanceConfig, theirs: DumpedInstance): Pairs {
  const { vmac } = ours;
  const name = /i\/f name (\S+),/.exec(theirs.virtualMac ?? "")?.[1];
  // A name that another kind of interface had on that machine was not taken.
  const shownName = isMade(name) ? name : vmac?.name;
  const base = `Use VMAC, i/f name ${shownName}, is_up = false, xmit_base = ${vmac?.transmitBase}`;
  return {
    addresses: [ours.addresses.map((address) => addressLine(address, ours)), theirs.addresses.map(withoutMade)],
    excluded: [ours.excludedAddresses.map((address) => addressLine(address, ours)), theirs.excluded.map(withoutMade)],
    routes: [ours.routes.map(dumpedRoute), theirs.routes.map(routeLine)],
    rules: [ours.rules.map(dumpedRule), theirs.rules],
    peers: [ours.unicast?.peers.map(dumpedPeer) ?? [], theirs.peers],
    "virtual MAC": [vmac === undefined ? [] : [base], theirs.virtualMac === undefined ? [] : [theirs.virtualMac]],
  };
}

describe.skipIf(!present)("corpus", () => {
  const samples: Sample[] = [];
  beforeAll(() => {
    const read = (name: string) => join(folder, name);
    samples.push(
      ...readSamples((name) => (existsSync(read(name)) ? readFileSync(read(name), "utf8") : undefined)).filter(
        isComparable,
      ),
    );
  });

  /** Counts the lines, and tells those that differ. */
  function compare(subjects: readonly (readonly [string, Pairs])[]): [Record<string, number>, string[]] {
    const compared: Record<string, number> = {};
    const differences: string[] = [];
    for (const [where, pairs] of subjects) {
      for (const [what, [ours, theirs]] of Object.entries(pairs)) {
        compared[what] = (compared[what] ?? 0) + theirs.length;
        if (JSON.stringify(ours) === JSON.stringify(theirs)) continue;
        differences.push(`${where}: ${what}:\n  ${theirs.join("\n  ")}\nwe\n  ${ours.join("\n  ")}`);
      }
    }
    return [compared, differences];
  }

  test("what instances put on interfaces is understood alike", () => {
    const subjects = samples.flatMap(({ verdict, result, dump }) =>
      (dump?.instances ?? []).flatMap((theirs) => {
        const ours = result.config?.instances.find(({ name }) => name === theirs.name);
        return ours === undefined ? [] : [[`${verdict.id} ${theirs.name}`, pairsOf(ours, theirs)] as const];
      }),
    );
    const [compared, differences] = compare(subjects);
    console.info(`lines of instances compared: ${JSON.stringify(compared)}, different: ${differences.length}`);
    expect(differences).toEqual([]);
    expect(compared).toMatchObject({ rules: 6 });
    expect(compared.addresses).toBeGreaterThan(300);
    expect(compared.routes).toBeGreaterThan(30);
    expect(compared.peers).toBeGreaterThan(30);
    expect(compared["virtual MAC"]).toBeGreaterThan(30);
  });

  test("what is static is understood alike", () => {
    const subjects = samples.flatMap(({ verdict, result: { config }, dump }) => {
      if (config === undefined || dump === undefined) return [];
      const pairs: Pairs = {
        addresses: [config.staticAddresses.map(dumpedAddress), dump.staticAddresses],
        routes: [config.staticRoutes.map(dumpedRoute), dump.staticRoutes.map(routeLine)],
        rules: [config.staticRules.map(dumpedRule), dump.staticRules],
      };
      return [[verdict.id, pairs] as const];
    });
    const [compared, differences] = compare(subjects);
    console.info(`static lines compared: ${JSON.stringify(compared)}, different: ${differences.length}`);
    expect(differences).toEqual([]);
    expect(compared.addresses).toBeGreaterThan(10);
    expect(compared.routes).toBeGreaterThan(10);
  });
});
