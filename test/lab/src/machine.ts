// One machine of the lab as tests use it: commands, files and long-running processes inside its namespaces.
// A router is more than a network namespace: it has its own PIDs (so that `killall` finds only its own), its own /etc
// and /run (so that /etc/keepalived and pid files are its own) and its own host name.
import { spawn } from "node:child_process";
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type CommandOptions, type Outcome, run } from "./command.ts";
import { type LabProcess, type StartedProcess, startProcess } from "./lab-process.ts";
import { childrenOf, killQuietly } from "./proc.ts";
import { waitFor } from "./wait.ts";

export interface Machine {
  readonly name: string;
  readonly namespace: string;
  readonly address: string;
  /** Files of this machine that the lab keeps on the host: logs, sockets, state. */
  readonly directory: string;
  /** A text is run by bash. */
  exec(command: string | readonly string[], options?: CommandOptions): Promise<Outcome>;
  spawn(name: string, command: string | readonly string[], options?: SpawnOptions): Promise<LabProcess>;
  writeFile(path: string, text: string, mode?: number): void;
  readFile(path: string): string;
  removeFile(path: string): void;
  /** A process of that name which does nothing: what `killall -0 haproxy` looks for. */
  startStandIn(name: string): Promise<LabProcess>;
  /** Addresses with prefix on an interface, in the kernel's order; the kernel's own fe80:: ones left out. */
  addresses(networkInterface?: string): Promise<string[]>;
}

export interface SpawnOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly onMessage?: (message: unknown) => void;
}

/** What a machine needs to exist; `enter` is put before every command. */
export interface MachinePlace {
  readonly name: string;
  readonly namespace: string;
  readonly address: string;
  readonly directory: string;
  readonly enter: readonly string[];
  /** The command is a child of what enters the namespaces. */
  readonly entersByFork: boolean;
  /** The machine's root directory as the host sees it; "" where it is the host's. */
  readonly root: string;
}

export function createMachine(place: MachinePlace, own: (process: StartedProcess) => void): Machine {
  const started = new Map<string, number>();
  const argvOf = (command: string | readonly string[]): string[] => [
    ...place.enter,
    ...(typeof command === "string" ? ["bash", "--norc", "-c", command] : command),
  ];
  const fileOf = (path: string): string => `${place.root}${path}`;

  const spawnHere: Machine["spawn"] = async (name, command, options = {}) => {
    const count = (started.get(name) ?? 0) + 1;
    started.set(name, count);
    const logFile = join(place.directory, `${name}${count === 1 ? "" : `.${count}`}.log`);
    const child = await startProcess({
      name: `${place.name}/${name}`,
      argv: argvOf(command),
      logFile,
      asChild: place.entersByFork,
      env: options.env,
      onMessage: options.onMessage,
    });
    own(child);
    return child;
  };

  return {
    name: place.name,
    namespace: place.namespace,
    address: place.address,
    directory: place.directory,
    exec: (command, options) => run(argvOf(command), options),
    spawn: spawnHere,
    writeFile(path, text, mode = 0o644) {
      mkdirSync(dirname(fileOf(path)), { recursive: true });
      writeFileSync(fileOf(path), text, { mode });
    },
    readFile: (path) => readFileSync(fileOf(path), "utf8"),
    removeFile: (path) => rmSync(fileOf(path), { force: true }),
    startStandIn(name) {
      // killall compares the name of the executable: a copy of sleep under the wanted name.
      const program = join(place.directory, "stand-ins", name);
      mkdirSync(dirname(program), { recursive: true });
      rmSync(program, { force: true }); // one that still runs keeps its own copy
      copyFileSync("/bin/sleep", program);
      return spawnHere(name, [program, "infinity"]);
    },
    async addresses(networkInterface = "eth0") {
      const { stdout } = await run(argvOf(["ip", "-j", "address", "show", "dev", networkInterface]));
      const [link] = JSON.parse(stdout || "[]") as {
        addr_info: { local: string; prefixlen: number; scope: string }[];
      }[];
      return (link?.addr_info ?? [])
        .filter(({ scope }) => scope !== "link")
        .map(({ local, prefixlen }) => `${local}/${prefixlen}`);
    },
  };
}

// --- the init process of a router -----------------------------------------------------------------------------------

/**
 * PID 1 of a router. Makes /etc and /run private, then reaps orphans until its standard input ends: when the process
 * that owns the lab is gone, however it went, everything in the router goes with it.
 */
const initScript = `
set -e
hostname "$1"
mount -t tmpfs tmpfs "$2"
cp -a /etc/. "$2"
mount --bind "$2" /etc
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /etc/keepalived
rm -f /etc/keepalived/*
echo ready
set +e
while read -r _; do :; done
`;

export interface RouterInit {
  /** As the machine knows it. */
  readonly pid: number;
  end(): Promise<void>;
  /** For the end of the process: does not wait. */
  endNow(): void;
}

export async function startInit(place: { name: string; namespace: string; directory: string }): Promise<RouterInit> {
  const etc = join(place.directory, "etc");
  mkdirSync(etc, { recursive: true });
  const enter = ["netns", "exec", place.namespace, "unshare", "--pid", "--mount", "--uts", "--fork"];
  // bash takes a socket as its standard input for a remote shell and reads the user's ~/.bashrc, which may wait.
  const shell = ["bash", "--norc", "-c", initScript, "init", place.name, etc];
  const child = spawn("ip", [...enter, "--kill-child=KILL", "--mount-proc", ...shell], {
    stdio: ["pipe", "pipe", "pipe"],
  });
  const output = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output.stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    output.stderr += text;
  });
  const exited = new Promise<void>((resolve) => {
    child.once("exit", () => resolve());
    child.once("error", () => resolve());
  });
  const outer = child.pid;
  if (outer === undefined) throw new Error(`router ${place.name} cannot be started: is iproute2 installed?`);
  const pid = await waitFor(
    `router ${place.name} to start`,
    () => {
      if (child.exitCode !== null) throw new Error(`router ${place.name}: ${output.stderr.trim()}`);
      return output.stdout.includes("ready") ? childrenOf(outer)[0] : undefined;
    },
    { everyMs: 5 },
  );
  const endNow = (): void => {
    // The death of PID 1 ends its PID namespace, whatever runs there.
    killQuietly(pid, "SIGKILL");
    killQuietly(outer, "SIGKILL");
  };
  return {
    pid,
    endNow,
    async end() {
      endNow();
      await exited;
    },
  };
}

export const enterRouter = (init: RouterInit): string[] => [
  "nsenter",
  "--target",
  String(init.pid),
  "--net",
  "--pid",
  "--mount",
  "--uts",
  "--",
];

/** Into a network namespace alone; whoever dies there dies with the lab's owner. */
export const enterNamespace = (namespace: string): string[] => [
  "ip",
  "netns",
  "exec",
  namespace,
  "setpriv",
  "--pdeathsig",
  "KILL",
];
