// What is asked of the machine inside, made of configurations.
import { readFileSync } from "node:fs";
import { type Configuration, configurations, hosts, ownWays, trackPath } from "./configurations.ts";
import { generatedConfigurations } from "./generated.ts";
import { answeringOf, fileValue, states, tablesOf } from "./states.ts";
import type { ParityTask } from "./task.ts";

/** Word for word. */
export const configurationIn = (file: string): Configuration => ({ name: file, text: readFileSync(file, "utf8") });

/** Thought of here, and generated. */
export const allConfigurations = (): Configuration[] => [...configurations, ...generatedConfigurations(10, 1)];

/** Asks servers oftener than it says: what a check does takes its time, not what comes of it. */
export const hurried = ({ name, text }: Configuration): Configuration => ({
  name: `${name}, hurried`,
  text: text.replaceAll(/(delay_loop|delay_before_retry)\s+\d+/g, "$1 1"),
});

/** `patienceSeconds`: for a table to become what it has to be. */
export const parityTask = (configurations: readonly Configuration[], patienceSeconds: number): ParityTask => ({
  configurations: configurations.map(({ name, text }) => ({
    name,
    text,
    answering: answeringOf(text),
    reloads: ownWays[name] === undefined,
    tables: tablesOf(text),
  })),
  states: states.map(({ name, up }) => ({
    name,
    up,
    files: Object.fromEntries(hosts.map((host) => [trackPath(host), `${fileValue(host, up)}\n`])),
  })),
  patienceSeconds,
});
