// Two namespaces joined by a wire: dataplane runs in one, the test looks from the other.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { BatonEvent, EventEnvelope } from "@baton/domain";
import type { ConfigSnapshot } from "@baton/host";
import type { InstanceConfig } from "@baton/keepalived-conf";
import { config } from "@baton/keepalived-conf/testing";
import {
  type AddressEvent,
  type AddressTable,
  type ArpPacket,
  type ArpPort,
  bootNow,
  type NdPort,
  type NeighbourAdvertisement,
  openAddressTable,
  openArpPort,
  openNdPort,
  openRoutingTable,
  type RoutingEvent,
  type RoutingTable,
} from "@baton/linux";
import { makeNamespacePair, type Namespace } from "@baton/linux/testing";
import { FakeElection } from "./fake-election.ts";
import type { FromStandalone, ToStandalone } from "./standalone.ts";

const standalone = fileURLToPath(new URL("../../dist/testing/standalone.js", import.meta.url));

export const snapshotOf = (generation: number, ...instances: InstanceConfig[]): ConfigSnapshot => ({
  generation,
  hash: `generation ${generation}`,
  file: "/etc/keepalived/keepalived.conf",
  appliedAt: "2026-01-01T00:00:00.000000Z",
  config: config({ instances }),
  settings: {} as ConfigSnapshot["settings"],
});

/** A dataplane process in a namespace. */
export class Process {
  readonly events: EventEnvelope[] = [];
  readonly child: ChildProcess;
  #isReady = false;
  #told: Extract<FromStandalone, { type: "told" }> | undefined;
  #hasStopped = false;

  constructor(namespace: Namespace, runDir: string, snapshot: ConfigSnapshot) {
    this.child = spawn("ip", ["netns", "exec", namespace.name, process.execPath, standalone], {
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    this.child.on("message", (message: FromStandalone) => {
      if (message.type === "event") this.events.push(message.envelope);
      if (message.type === "ready") this.#isReady = true;
      if (message.type === "told") this.#told = message;
      if (message.type === "stopped") this.#hasStopped = true;
    });
    this.send({ type: "config", snapshot, runDir });
  }

  send(message: ToStandalone): void {
    this.child.send(message);
  }

  ready(): Promise<void> {
    return until("dataplane is ready", () => this.#isReady);
  }

  async ask(): Promise<Extract<FromStandalone, { type: "told" }>> {
    this.#told = undefined;
    this.send({ type: "ask" });
    await until("dataplane answers", () => this.#told !== undefined);
    if (this.#told === undefined) throw new Error("no answer");
    return this.#told;
  }

  async stop(): Promise<void> {
    this.send({ type: "stop", reason: "test" });
    await until("dataplane has stopped", () => this.#hasStopped && this.child.exitCode !== null);
  }

  async kill(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    this.child.kill("SIGKILL");
    await until("dataplane is dead", () => this.child.signalCode !== null);
  }

  typesTold(): string[] {
    return this.events.map(({ event }) => event.type);
  }
}

export class Lab {
  readonly node: Namespace;
  readonly peer: Namespace;
  readonly runDir: string;
  /** ARP as the peer hears it. */
  readonly heard: (ArpPacket & { readonly at: number })[] = [];
  /** Neighbour advertisements as the peer hears them. */
  readonly advertised: NeighbourAdvertisement[] = [];
  /** What happened to addresses in the node's kernel. */
  readonly kernel: (AddressEvent & { readonly at: number })[] = [];
  readonly peerPort: ArpPort;
  readonly peerNdPort: NdPort;
  readonly #table: AddressTable;
  /** What happened to routes of keepalived's protocol and to rules since `watchRouting`. */
  readonly routing: string[] = [];
  #routingTable: RoutingTable | undefined;
  readonly #processes: Process[] = [];
  readonly #elections: FakeElection[] = [];

  constructor(label: string) {
    [this.node, this.peer] = makeNamespacePair(label);
    this.runDir = mkdtempSync(join(tmpdir(), "baton-dataplane-"));
    const ifindex = this.ifindex(this.peer);
    this.peerPort = this.peer.inside(() => {
      const port = openArpPort({ ifindex });
      port.onArp((packet) => this.heard.push({ ...packet, at: bootNow() }));
      return port;
    });
    this.peerNdPort = this.peer.inside(() => {
      const port = openNdPort({ ifindex });
      port.onAdvertisement((heard) => this.advertised.push(heard));
      return port;
    });
    this.#table = this.node.inside(() =>
      openAddressTable({
        onChange: (events) => {
          for (const event of events) this.kernel.push({ ...event, at: bootNow() });
        },
      }),
    );
  }

  watchRouting(): void {
    const tell = (event: RoutingEvent): void => {
      if ("rule" in event) this.routing.push(`${event.type} ${event.rule.preference}`);
      else if (event.route.protocol === 18) {
        const { address, length } = event.route.destination;
        this.routing.push(`${event.type} ${address}/${length}`);
      }
    };
    this.#routingTable = this.node.inside(() => openRoutingTable({ onChange: (events) => events.forEach(tell) }));
  }

  async start(snapshot: ConfigSnapshot): Promise<Process> {
    const started = new Process(this.node, this.runDir, snapshot);
    this.#processes.push(started);
    await started.ready();
    return started;
  }

  async connect(): Promise<FakeElection> {
    const election = new FakeElection(join(this.runDir, "dataplane.sock"));
    this.#elections.push(election);
    await election.until("hello", () => election.hello !== undefined);
    return election;
  }

  ifindex(namespace: Namespace): number {
    return Number(JSON.parse(namespace.ip("-j", "link", "show", "dev", "eth0"))[0].ifindex);
  }

  mac(namespace: Namespace): string {
    return String(JSON.parse(namespace.ip("-j", "link", "show", "dev", "eth0"))[0].address);
  }

  /** As `ip -j address` shows them, without what the kernel made itself. */
  addresses(): { local: string; prefixlen: number; [key: string]: unknown }[] {
    const links = JSON.parse(this.node.ip("-j", "address", "show", "dev", "eth0"));
    return links[0].addr_info.filter(({ local }: { local: string }) => !local.startsWith("fe80:"));
  }

  address(local: string): { [key: string]: unknown } | undefined {
    return this.addresses().find((each) => each.local === local);
  }

  has(address: string): boolean {
    return this.#table.list().some((info) => info.address === address);
  }

  /** What the node's firewall silences, as it lists it. */
  silent(): string {
    return execFileSync("ip", ["netns", "exec", this.node.name, "nft", "list", "ruleset"], { encoding: "utf8" });
  }

  /** Whether the node answers for the address, as the peer sees it. */
  async answers(address: string): Promise<boolean> {
    this.peer.ip("neigh", "flush", "dev", "eth0", "nud", "all");
    execFileSync("ip", ["netns", "exec", this.peer.name, "bash", "-c", `echo probe > /dev/udp/${address}/9`]);
    const state = (): string => this.peer.ip("neigh", "show", address, "dev", "eth0");
    await until("the neighbour is resolved or failed", () => /lladdr|FAILED/.test(state()), 8_000);
    return state().includes("lladdr");
  }

  async close(): Promise<void> {
    for (const election of this.#elections) election.close();
    for (const each of this.#processes) await each.kill();
    this.peerPort.close();
    this.peerNdPort.close();
    this.#table.close();
    this.#routingTable?.close();
    this.node.remove();
    this.peer.remove();
    rmSync(this.runDir, { recursive: true, force: true });
  }
}

export async function until(what: string, condition: () => boolean, patienceMs = 5_000): Promise<void> {
  const deadline = Date.now() + patienceMs;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`not within ${patienceMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

export const becameMaster = (instance: string, term: number): BatonEvent => ({
  type: "became-master",
  data: {
    instance,
    vrid: 51,
    interface: "eth0",
    term,
    priority: 101,
    reason: "master-down-expired",
    addresses: [],
  },
});
