// Inside the machine: tables as lines, and the real servers behind them, which answer or not.
import { execFileSync } from "node:child_process";
import { renameSync, writeFileSync } from "node:fs";
import { destinationName, ipvsadmRules, serviceName, sortRules, type WantedService } from "@baton/ipvs";
import type { Host } from "./configurations.ts";
import type { ParityTask } from "./task.ts";

/** As ipvsadm prints them, and what it does not print: limits of connections. */
export function linesOf(services: readonly WantedService[]): string[] {
  const limits = services.flatMap(({ key, destinations }) =>
    destinations
      .filter(({ upperThreshold, lowerThreshold }) => upperThreshold > 0 || lowerThreshold > 0)
      .map((each) => `${serviceName(key)} ${destinationName(each)} ${each.upperThreshold} ${each.lowerThreshold}`),
  );
  return [...sortRules(ipvsadmRules(services)), ...limits.sort()];
}

export const same = (one: readonly string[], other: readonly string[]): boolean => one.join("\n") === other.join("\n");

export const follow = (files: Readonly<Record<string, string>>): void => {
  for (const [path, text] of Object.entries(files)) {
    // In one step: nobody is to read an empty file.
    writeFileSync(`${path}.new`, text);
    renameSync(`${path}.new`, path);
  }
};

/** A host's address on the loopback of a namespace where a server listens at all addresses: it is there while its host is up. */
export class AnsweringAddress {
  readonly #namespace: string;
  readonly #address: string;
  readonly #host: Host;
  #isThere = false;

  constructor(namespace: string, address: string, host: Host) {
    this.#namespace = namespace;
    this.#address = address;
    this.#host = host;
  }

  follow({ up }: Pick<ParityTask["states"][number], "up">): void {
    const isWanted = up.includes(this.#host);
    if (isWanted === this.#isThere) return;
    this.#isThere = isWanted;
    const change = isWanted ? "add" : "del";
    execFileSync("ip", ["-n", this.#namespace, "address", change, `${this.#address}/32`, "dev", "lo"]);
  }
}
