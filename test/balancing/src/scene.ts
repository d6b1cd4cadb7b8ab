// Clients, a director and real servers in network namespaces. The clients' namespace is this thread's own while the
// scene stands; servers are processes; the director has nothing but addresses and what nft is told.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { serviceName, type WantedService } from "@baton/ipvs";
import { waitFor } from "@baton/lab";
import { listNft, runNft } from "@baton/linux";
import { makeNamespace, type Namespace } from "@baton/linux/testing";
import {
  type BalancerOptions,
  type BalancerPlan,
  type BalancerState,
  listElements,
  listTable,
  planBalancer,
  readTable,
  type TableState,
} from "@baton/nft-balancer";

const serverMain = fileURLToPath(new URL("../dist/server-main.js", import.meta.url));

/** Ports on which each server listens, TCP and UDP. */
export const serverPorts = [80, 8080] as const;
/** Virtual addresses of the director. */
export const virtual = { 4: "10.80.0.100", 6: "fd80::100" } as const;
/** Of server `number`, counted from 1; its name is `s1`. */
export const serverAddress = (number: number, family: 4 | 6 = 4): string =>
  family === 4 ? `10.81.0.${10 + number}` : `fd81::${10 + number}`;
/** A client of many: `number` below 65,000. */
export const clientAddress = (number: number): string => `10.82.${number >> 8}.${number & 255}`;

/** As ip_vs: servers answer by their own routes, which lead through the director. */
export const plainOptions: BalancerOptions = { masquerade: "never", connected: [] };

export class Scene {
  readonly director: Namespace;
  readonly client: Namespace;
  readonly servers: readonly Namespace[];
  readonly #processes: ChildProcess[] = [];
  readonly #leave: () => void;

  private constructor(label: string, count: number) {
    this.director = makeNamespace(`${label}d`);
    this.client = makeNamespace(`${label}c`);
    this.servers = Array.from({ length: count }, (_, at) => makeNamespace(`${label}${at + 1}`));
    this.#wire();
    this.#leave = this.client.enter();
  }

  static async start(label: string, servers: number): Promise<Scene> {
    const scene = new Scene(label, servers);
    await Promise.all(scene.servers.map((_, at) => scene.#serve(at)));
    return scene;
  }

  #wire(): void {
    const { director, client } = this;
    client.ip("link", "add", "eth0", "type", "veth", "peer", "name", "eth0", "netns", director.name);
    director.ip("link", "add", "br0", "type", "bridge");
    for (const [at, server] of this.servers.entries()) {
      server.ip("link", "add", "eth0", "type", "veth", "peer", "name", `s${at + 1}`, "netns", director.name);
      director.ip("link", "set", `s${at + 1}`, "master", "br0", "up");
      addresses(server, "eth0", `${serverAddress(at + 1)}/24`, `${serverAddress(at + 1, 6)}/64`);
      server.ip("route", "add", "default", "via", "10.81.0.1");
      server.ip("-6", "route", "add", "default", "via", "fd81::1");
    }
    addresses(director, "br0", "10.81.0.1/24", "fd81::1/64");
    addresses(director, "eth0", "10.80.0.1/24", "fd80::1/64", `${virtual[4]}/32`, `${virtual[6]}/128`);
    addresses(client, "eth0", "10.80.0.2/24", "fd80::2/64");
    client.ip("route", "add", "default", "via", "10.80.0.1");
    client.ip("-6", "route", "add", "default", "via", "fd80::1");
    client.ip("route", "add", "local", "10.82.0.0/16", "dev", "lo");
    director.ip("route", "add", "10.82.0.0/16", "via", "10.80.0.2");
    const forward = "echo 1 | tee /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv6/conf/all/forwarding > /dev/null";
    inNamespace(director, "sh", "-c", forward);
  }

  async #serve(at: number): Promise<void> {
    const started = { yes: false };
    const words = ["netns", "exec", this.servers[at]?.name ?? "", process.execPath, serverMain, `s${at + 1}`];
    const child = spawn("ip", [...words, ...serverPorts.map(String)], {
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    this.#processes.push(child);
    child.on("message", () => {
      started.yes = true;
    });
    await waitFor(`server ${at + 1}`, () => started.yes);
  }

  /** What the director's kernel has. */
  read(): BalancerState {
    const one = (family: 4 | 6): TableState | undefined => {
      const table = listNft(listTable(family), "read the table");
      const elements = (): unknown[] => listElements(family).map((words) => listNft(words, "read its elements"));
      return table === undefined ? undefined : readTable(family, table, elements());
    };
    return this.director.inside(() => ({ 4: one(4), 6: one(6) }));
  }

  /** From what the kernel has to these services. */
  apply(services: readonly WantedService[], options = plainOptions, unknown: readonly string[] = []): BalancerPlan {
    return this.change(services, this.read(), options, unknown);
  }

  /** As `apply`, by whoever knows what the kernel has. */
  change(
    services: readonly WantedService[],
    state: BalancerState,
    options = plainOptions,
    unknown: readonly string[] = [],
  ): BalancerPlan {
    const wanted = new Map(services.map((service) => [serviceName(service.key), service]));
    const plan = planBalancer({ wanted, unknown: new Set(unknown), state, options });
    if (plan.script !== "") this.nft(plan.script);
    return plan;
  }

  nft(script: string): void {
    this.director.inside(() => runNft(script, "balance"));
  }

  /** Everything in the director's nftables, for people. */
  ruleset(): string {
    return inNamespace(this.director, "nft", "list", "ruleset");
  }

  async close(): Promise<void> {
    for (const child of this.#processes) child.disconnect();
    await waitFor("the servers end", () => this.#processes.every(({ exitCode }) => exitCode !== null));
    this.#leave();
    for (const namespace of [this.director, this.client, ...this.servers]) namespace.remove();
  }
}

function addresses(namespace: Namespace, device: string, ...list: string[]): void {
  for (const address of list) {
    namespace.ip("address", "add", address, "dev", device, ...(address.includes(":") ? ["nodad"] : []));
  }
  namespace.ip("link", "set", device, "up");
}

/** Runs a command there; what it printed. */
export const inNamespace = (namespace: Namespace, ...words: string[]): string =>
  execFileSync("ip", ["netns", "exec", namespace.name, ...words], { encoding: "utf8" });
