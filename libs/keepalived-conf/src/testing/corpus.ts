// Real files of other people, with what keepalived 2.4.3 said of each and how it understood it: read, and parsed by us.
// The files themselves come in as a function, as everywhere here.
import { isFatal } from "../diagnostics.ts";
import { type ParseResult, parseConfig } from "../parse-config.ts";
import { type Dump, readDump } from "./dump-objects.ts";
import { programs, sampleHost, strangers } from "./sample-machine.ts";
import { readServerDump, type ServerDump } from "./server-dump.ts";

/** A line of `verdicts.jsonl`. */
export interface Verdict {
  readonly id: string;
  readonly config_id?: string;
  readonly version: string;
  readonly exit: number;
  readonly messages: readonly string[];
}

export interface Sample {
  readonly verdict: Verdict;
  readonly result: ParseResult;
  /** undefined: keepalived made none, because it did not start. */
  readonly dump: Dump | undefined;
  readonly servers: ServerDump | undefined;
}

/** The text of a file of the corpus, undefined when there is none. */
export type ReadCorpus = (name: string) => string | undefined;

/** Every file, and once more for each id that an `@id` line of it names. */
export function readSamples(read: ReadCorpus): Sample[] {
  const verdicts = ["verdicts.jsonl", "verdicts-config-id.jsonl"].flatMap((name) =>
    (read(name) ?? "")
      .trim()
      .split("\n")
      .map((line): Verdict => JSON.parse(line))
      .filter(({ version }) => version === "2.4.3"),
  );
  return verdicts.map((verdict) => {
    const name = [verdict.id, verdict.config_id, "2.4.3", "txt"].filter((part) => part !== undefined).join(".");
    const dump = read(`dump/${name}`);
    return {
      verdict,
      result: parseSample(verdict, read),
      dump: dump === undefined ? undefined : readDump(dump),
      servers: dump === undefined ? undefined : readServerDump(dump),
    };
  });
}

function parseSample({ id, config_id, messages }: Verdict, read: ReadCorpus): ParseResult {
  const absent = new Set(
    messages
      .map((message) => /tracked interface (\S+) doesn't|interface (\S+) for (?:vrrp|ip)/.exec(message))
      .map((match) => match?.[1] ?? match?.[2]),
  );
  const file = `${id}.conf`;
  return parseConfig({
    file,
    hostName: sampleHost,
    configId: config_id,
    readFile: (name) => {
      const text = name === file ? read(name) : undefined;
      return text === undefined ? { error: "no such file" } : { text };
    },
    executable: (name) => programs.test(name),
    interfaceExists: (name) => !absent.has(name),
    userExists: (name) => !strangers.includes(name),
  });
}

/** keepalived started: what it tells of a file that it ends at is half settled. */
export const isComparable = ({ result }: Sample): boolean => !isFatal(result.diagnostics);
