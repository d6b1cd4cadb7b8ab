// Inside the machine: a router that balances, in a namespace of its own. Baton as `baton up` starts it, or keepalived.
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ipvsadmRules, sortRules } from "@baton/ipvs";
import { type IpvsTable, openIpvsTable } from "@baton/linux";
import { command, until, within } from "./network.ts";

export interface Director {
  readonly name: string;
  readonly kind: "baton" | "keepalived";
  /** As ipvsadm prints it, in one order. */
  rules(): string[];
  holds(address: string): Promise<boolean>;
  reload(text: string): void;
  /** SIGTERM; fulfilled when it is gone. */
  stop(): Promise<void>;
  /** SIGKILL of everything that runs in its namespace. */
  kill(): Promise<void>;
  log(): string;
}

export interface BatonDirector extends Director {
  readonly runDirectory: string;
  /** Everything has started. */
  waitReady(): Promise<void>;
  /** Of services.json. */
  pidOf(service: string): number | undefined;
}

const baton = fileURLToPath(new URL("../../../../services/cli/bin/baton.js", import.meta.url));

export function startBaton(name: string, text: string, settings?: string): BatonDirector {
  const directory = `/run/${name}`;
  const place = (file: string): string => join(directory, file);
  mkdirSync(directory);
  const flags = ["--run-dir", place("run"), "--state-dir", place("state"), "--ready-file", place("ready")];
  if (settings !== undefined) {
    writeFileSync(place("baton.yaml"), settings);
    flags.push("--settings", place("baton.yaml"));
  }
  const config = place("keepalived.conf");
  const argv = [process.execPath, baton, "up", "--name", name, "--config", config, ...flags];
  const director = start(name, "baton", argv, config, text);
  return {
    ...director,
    runDirectory: place("run"),
    waitReady: async () => {
      await until(`${name} to be ready:\n${director.log().slice(-3000)}`, () => existsSync(place("ready")), 1200);
    },
    pidOf(service) {
      const file = place("run/services.json");
      if (!existsSync(file)) return undefined;
      const { services } = JSON.parse(readFileSync(file, "utf8")) as { services: Record<string, { pid: number }> };
      return services[service]?.pid;
    },
  };
}

export function startKeepalived(name: string, text: string): Director {
  const directory = `/run/${name}`;
  mkdirSync(directory);
  const place = (file: string): string => join(directory, file);
  const pidFiles = ["-p", place("pid"), "-c", place("checkers.pid"), "-r", place("vrrp.pid")];
  const config = place("keepalived.conf");
  return start(name, "keepalived", ["keepalived", "-n", "-l", "-D", ...pidFiles, "-f", config], config, text);
}

function start(
  name: string,
  kind: Director["kind"],
  [program = "", ...words]: readonly string[],
  config: string,
  text: string,
): Director {
  writeFileSync(config, text);
  const logFile = `/run/${name}/log`;
  const log = openSync(logFile, "a");
  const child: ChildProcess = within(name, () => spawn(program, words, { stdio: ["ignore", log, log] }));
  const table: IpvsTable = within(name, openIpvsTable);
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  return {
    name,
    kind,
    rules: () => sortRules(ipvsadmRules(table.list())),
    holds: async (address) => (await command(`ip -n ${name} -o address show to ${address}`)) !== "",
    reload(changed) {
      writeFileSync(config, changed);
      child.kill("SIGHUP");
    },
    stop() {
      child.kill("SIGTERM");
      return exited;
    },
    async kill() {
      await command(`kill -9 $(ip netns pids ${name})`);
      await exited;
    },
    log: () => readFileSync(logFile, "utf8"),
  };
}
