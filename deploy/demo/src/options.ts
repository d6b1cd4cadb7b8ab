// The words after `npm start --`.
import { parseArgs } from "node:util";
import { messageOf } from "@baton/domain";

export type Options =
  | { readonly kind: "demonstration"; readonly once: boolean; readonly json: boolean }
  /** One real node: the words of `baton up`. */
  | { readonly kind: "node"; readonly words: readonly string[] }
  | { readonly kind: "help"; readonly text: string }
  | { readonly kind: "error"; readonly message: string };

export const usage = `npm start                        a failover, shown in network namespaces; Ctrl-C cleans up
npm start -- --once              the same, ending when it has been shown
npm start -- --once --json       without a terminal: one JSON object with the figures
npm start -- --config FILE       one real node in this network namespace (options of baton up may follow)
`;

export function parseOptions(words: readonly string[]): Options {
  // With a configuration all words are those of `baton up`, which knows them better.
  if (words.some((word) => word === "--config" || word.startsWith("--config="))) return { kind: "node", words };
  try {
    const { values } = parseArgs({
      args: [...words],
      options: { once: { type: "boolean" }, json: { type: "boolean" }, help: { type: "boolean", short: "h" } },
    });
    if (values.help === true) return { kind: "help", text: usage };
    const [once, json] = [values.once === true, values.json === true];
    if (json && !once) return { kind: "error", message: "--json goes with --once" };
    return { kind: "demonstration", once, json };
  } catch (error) {
    const message = messageOf(error);
    return { kind: "error", message: (message.split(". ")[0] ?? message).replaceAll("\n", " ") };
  }
}

/** What keeps the demonstration from running, as one sentence; undefined when nothing does. */
export function obstacle(machine: {
  readonly platform: string;
  readonly userId: number;
  readonly nodeVersion: string;
  hasProgram(name: string): boolean;
}): string | undefined {
  if (machine.platform !== "linux") return `Baton runs on Linux only (this is ${machine.platform}).`;
  const [major = 0, minor = 0] = machine.nodeVersion.split(".").map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    return `Node ${machine.nodeVersion} is too old: Baton needs Node >= 20.19.`;
  }
  if (machine.userId !== 0) return "Baton needs root (raw sockets, addresses, network namespaces): run it with sudo.";
  if (!machine.hasProgram("ip")) return "The `ip` command is missing: install iproute2.";
  return undefined;
}
