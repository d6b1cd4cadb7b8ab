// The files that a signal asks for, one after the other: two of one kind that overtook each other would leave the older one.
import type { Counter, NodeStatus } from "@baton/contracts";
import type { DumpKind, Log } from "@baton/host";
import type { Config } from "@baton/keepalived-conf";
import { dataText } from "./data-text.ts";
import type { DumpFacts } from "./dump-facts.ts";
import { type DumpFile, dumpPath, writeDump } from "./dump-files.ts";
import { jsonText } from "./json-text.ts";
import { StatisticsBook } from "./statistics.ts";
import { statsText } from "./stats-text.ts";

export interface DumpDependencies {
  readonly log: Log;
  /** The temporary folder. */
  readonly directory: string;
  /** Undefined: nothing is applied yet. */
  config(): Config | undefined;
  /** How everything is now. */
  status(): Promise<NodeStatus>;
  counters(): readonly Counter[];
  /** CLOCK_BOOTTIME and the time since 1970, in microseconds. */
  now(): DumpFacts["now"];
}

export class Dumps {
  readonly #dependencies: DumpDependencies;
  readonly #book = new StatisticsBook();
  #last: Promise<void> = Promise.resolve();

  constructor(dependencies: DumpDependencies) {
    this.#dependencies = dependencies;
  }

  /** Resolves when the file is there, or the log says why not. */
  write(what: DumpKind): Promise<void> {
    this.#last = this.#last.then(() => this.#write(what));
    return this.#last;
  }

  async #write(what: DumpKind): Promise<void> {
    const { log, directory, config: current, status, counters, now } = this.#dependencies;
    const config = current();
    if (config === undefined) return log.warn("nothing is configured yet, so that there is nothing to dump", { what });
    const file: DumpFile = what === "stats-clear" ? "stats" : what;
    const path = dumpPath(file, config.global, directory);
    try {
      const known = await status();
      const counted = counters();
      const facts = { config, status: known, statistics: this.#book.since(counted), now: now() };
      const text = { data: dataText, stats: statsText, json: jsonText }[file](facts);
      if (text !== undefined) await writeDump(path, text, config.global.files.umask);
      if (what === "stats-clear") this.#book.clear(counted);
      log.info("dumped", { what, path });
    } catch (error) {
      log.error("a dump could not be written", { what, path, cause: error });
    }
  }
}
