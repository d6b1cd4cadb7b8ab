// Inside the machine: namespaces on one bridge, as directors, real servers and a client know their network.
import { execFile } from "node:child_process";
import { createServer, type Server } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { insideNamespace, namespacePath } from "@baton/linux";

const execute = promisify(execFile);

/** What it printed. Never waits in this thread: servers that live in this process go on answering. */
export const command = async (line: string): Promise<string> => {
  const { stdout } = await execute("sh", ["-c", line]);
  return stdout;
};

export const within = <T>(namespace: string, action: () => T): T => insideNamespace(namespacePath(namespace), action);

/** Undefined and false: not yet. Whoever waits in vain says for what. */
export async function until<T>(
  what: string,
  ask: () => T | undefined | false | Promise<T | undefined | false>,
  seconds = 300,
  everyMs = 50,
): Promise<T> {
  const end = performance.now() + seconds * 1000;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    if (performance.now() > end) throw new Error(`waited ${seconds} s in vain: ${what}`);
    await delay(everyMs);
  }
}

export interface Host {
  readonly name: string;
  /** On eth0, with prefix length. */
  readonly addresses: readonly string[];
}

/** Each with an eth0 on the one bridge; the bridge in a namespace of its own. */
export async function buildNetwork(hosts: readonly Host[]): Promise<void> {
  await ip(["netns add cable", ...hosts.map(({ name }) => `netns add ${name}`)]);
  await ip(
    [
      "link add br0 type bridge stp_state 0 forward_delay 0 mcast_snooping 0",
      "link set br0 up",
      ...hosts.flatMap(({ name }) => [
        `link add ${name} type veth peer name eth0 netns ${name}`,
        `link set ${name} master br0 up`,
      ]),
    ],
    "cable",
  );
  for (const { name, addresses } of hosts) {
    const given = addresses.map((address) => `address add ${address} brd + dev eth0`);
    await ip(["link set lo up", "link set eth0 up", ...given], name);
  }
}

/** Many changes by one process. */
const ip = (lines: readonly string[], namespace?: string): Promise<string> => {
  const where = namespace === undefined ? "" : `-n ${namespace} `;
  return command(`printf '%s\\n' '${lines.join("' '")}' | ip ${where}-batch -`);
};

/** The service's address where its answers come from, heard of by nobody: as servers behind direct routing have it. */
export const holdSilently = (namespace: string, address: string): Promise<string> =>
  command(
    `ip -n ${namespace} address add ${address}/32 dev lo && ` +
      `ip netns exec ${namespace} sysctl -qw net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2`,
  );

export interface WebServer {
  /** Requests answered. */
  readonly answered: number;
  /** Nobody listens any more, and no connection stays. */
  stop(): void;
  start(): void;
}

/** Answers every request on port 80 with its name and a line's end, and closes no connection by itself. */
export function startWebServer(namespace: string, name = namespace): WebServer {
  const counts = { answered: 0 };
  const listen = (): Server =>
    within(namespace, () =>
      createServer({ keepAliveTimeout: 0, requestTimeout: 0 }, (_, response) => {
        counts.answered += 1;
        response.end(`${name}\n`);
      }).listen(80),
    );
  let server: Server | undefined = listen();
  return {
    get answered() {
      return counts.answered;
    },
    stop() {
      server?.close();
      server?.closeAllConnections();
      server = undefined;
    },
    start() {
      server ??= listen();
    },
  };
}
