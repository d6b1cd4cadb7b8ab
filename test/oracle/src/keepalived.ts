// What a real keepalived says of configurations: `keepalived -t`, thousands of times, in a network namespace that has the
// interfaces which the configurations name. It has /run to itself, so that nothing of the machine's is in its way.
import { spawn } from "node:child_process";
import { dirname, resolve } from "node:path";
import { createInterface } from "node:readline";
import { makeNamespace } from "@baton/linux/testing";

/** Of one configuration. */
export interface Verdict {
  readonly exit: number;
  /** `file:line` of each complaint that names one, once. */
  readonly places: readonly string[];
  /** Complaints that name no line: made after the file was read. */
  readonly unplaced: readonly string[];
  /** As they were printed. */
  readonly messages: readonly string[];
}

export interface Oracle {
  /** The verdicts in the order of the files. */
  judge(files: readonly string[]): Promise<Verdict[]>;
  /** The interfaces that it sees. */
  readonly interfaces: ReadonlySet<string>;
  remove(): void;
}

export const configId = "node";

const veths = { eth0: "10.0.0.9/24", eth1: "10.1.0.9/24", eth2: "10.2.0.9/24" };

/** At once; more would only wait for each other. */
const workers = 2;

export function openOracle(binary: string): Oracle {
  const namespace = makeNamespace("oracle");
  for (const [name, address] of Object.entries(veths)) {
    namespace.ip("link", "add", name, "type", "veth", "peer", "name", `${name}-peer`);
    namespace.ip("address", "add", address, "dev", name);
    namespace.ip("link", "set", name, "up");
    namespace.ip("link", "set", `${name}-peer`, "up");
  }
  return {
    interfaces: new Set(["lo", ...Object.keys(veths).flatMap((name) => [name, `${name}-peer`])]),
    judge: async (files) => {
      const verdicts: Verdict[] = [];
      const shares = Array.from({ length: workers }, (_, worker) =>
        askAll(
          binary,
          namespace.name,
          files.map((file, index) => ({ file, index })).filter(({ index }) => index % workers === worker),
          (index, verdict) => {
            verdicts[index] = verdict;
          },
        ),
      );
      await Promise.all(shares);
      return verdicts;
    },
    remove: namespace.remove,
  };
}

/** Behind what keepalived prints of each file, and the exit code after it. */
const mark = "=== exit ";
const loop = `mount -t tmpfs none /run && while read -r file; do
  timeout -s KILL 10 "$0" -t -i ${configId} -f "$file" 2>&1 </dev/null; code=$?; echo; echo "${mark}$code"
done`;

/** One shell for many files: entering a namespace costs more than the check itself. */
async function askAll(
  binary: string,
  namespace: string,
  files: readonly { file: string; index: number }[],
  answer: (index: number, verdict: Verdict) => void,
): Promise<void> {
  const child = spawn("ip", ["netns", "exec", namespace, "sh", "-c", loop, binary], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const ended = new Promise<void>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) =>
      code === 0 ? resolve() : reject(new Error(`the loop around ${binary} exited ${code}`)),
    );
  });
  child.stdin.end(files.map(({ file }) => `${file}\n`).join(""));
  let messages: string[] = [];
  const waiting = files.values();
  for await (const line of createInterface({ input: child.stdout })) {
    if (!line.startsWith(mark)) {
      if (line !== "") messages.push(line);
      continue;
    }
    const next = waiting.next();
    if (next.done === true) throw new Error("more answers than files");
    answer(next.value.index, verdictOf(Number(line.slice(mark.length)), messages, next.value.file));
    messages = [];
  }
  await ended;
}

function verdictOf(exit: number, messages: readonly string[], file: string): Verdict {
  const places = new Set<string>();
  const unplaced: string[] = [];
  for (const message of messages) {
    const match = /^\((?:(.*): )?Line (\d+)\)/.exec(message);
    if (match === null) unplaced.push(message);
    // Included files are named as they are found from the folder of the file that includes them; ours are all in one.
    else places.add(`${resolve(dirname(file), match[1] ?? file)}:${match[2]}`);
  }
  return { exit, places: [...places], unplaced, messages };
}
