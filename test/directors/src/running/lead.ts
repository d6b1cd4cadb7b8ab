// Inside the machine: one running Baton led through configurations by reloads, and through all states of each. A stranger's
// service stands beside its own all the time.
import { execFile } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { sortRules } from "@baton/ipvs";
import { type AnsweringAddress, follow, linesOf, same } from "../parity/tables.ts";
import type { Difference } from "../parity/task.ts";
import { within } from "../scene/network.ts";
import type { RunningBaton } from "./running-baton.ts";
import type { RunningTask } from "./task.ts";

/** As `ipvsadm -R` reads it, and as the table has it. */
export const strangers = ["-A -t 203.0.113.254:80 -s rr", "-a -t 203.0.113.254:80 -r 203.0.113.253:80 -g -w 1"];
const isStrangers = (line: string): boolean => line.includes("203.0.113.25");

/**
 * Who starts with it does not gain a quorum that who comes to it by a reload, keepalived as well, keeps: within hysteresis.
 * It is compared as one that has started.
 */
const hasToGain: ReadonlySet<string> = new Set(["an end that is told"]);

export class Lead {
  readonly differences: Difference[] = [];
  compared = 0;
  readonly #task: RunningTask;
  readonly #baton: RunningBaton;
  readonly #addresses: readonly AnsweringAddress[];

  constructor(task: RunningTask, baton: RunningBaton, addresses: readonly AnsweringAddress[]) {
    this.#task = task;
    this.#baton = baton;
    this.#addresses = addresses;
  }

  /** `note`: hears of each that is done. */
  async through(note: (name: string) => void): Promise<void> {
    const [first] = this.#task.states;
    let before: string | undefined;
    for (const { name, text } of this.#task.configurations) {
      if (before !== undefined && hasToGain.has(name)) await this.#loseQuorum(before);
      // The first is what it has started with.
      if (before !== undefined) await this.#baton.reload(text);
      before = name;
      for (const state of this.#task.states) {
        this.change(state);
        await this.compare(name, state.name);
        if (state === first) await this.#compareByIpvsadm(name, state.name);
      }
      note(name);
    }
  }

  async #loseQuorum(configuration: string): Promise<void> {
    const state = this.#task.states.find(({ up }) => up.length === 0);
    if (state === undefined) throw new Error("there is no state without servers");
    this.change(state);
    await this.compare(configuration, state.name);
  }

  change(state: RunningTask["states"][number]): void {
    follow(state.files);
    for (const address of this.#addresses) address.follow(state);
  }

  /** With keepalived's table of that state, once it is the same or time is up. */
  async compare(configuration: string, state: string): Promise<void> {
    const wanted = [...strangers, ...(this.#task.seen[configuration]?.[state] ?? ["keepalived has not been there"])];
    const read = (): string[] => this.#lines(linesOf(this.#baton.table()));
    const until = performance.now() + this.#task.patienceSeconds * 1000;
    while (!same(read(), wanted) && performance.now() < until) await delay(20);
    this.#note(configuration, state, wanted, read());
  }

  /** ipvsadm says nothing of limits. */
  async #compareByIpvsadm(configuration: string, state: string): Promise<void> {
    const { stdout } = await within(this.#baton.name, () => promisify(execFile)("ipvsadm", ["-Sn"]));
    const wanted = (this.#task.seen[configuration]?.[state] ?? []).filter((line) => line.startsWith("-"));
    this.#note(
      configuration,
      `${state}, by ipvsadm`,
      [...strangers, ...wanted],
      this.#lines(sortRules(stdout.split("\n"))),
    );
  }

  /** The stranger's first. */
  #lines(lines: readonly string[]): string[] {
    return [...lines.filter(isStrangers), ...lines.filter((line) => !isStrangers(line))];
  }

  #note(configuration: string, state: string, wanted: readonly string[], found: readonly string[]): void {
    this.compared += 1;
    if (!same(found, wanted)) this.differences.push({ configuration, state, of: "running", wanted, found });
  }
}
