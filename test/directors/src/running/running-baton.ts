// Inside the machine: as much of a running Baton as balancing needs, in a namespace of its own: nats-server, control, health
// and balancer, each its own process, without a supervisor, election, dataplane, notifier and Redis, which would have to load,
// too. To be reloaded, robbed of single services, and ended, like a node. Its loopback has to be up.
import { existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { ServiceReport } from "@baton/host";
import { type DumpedService, ipvsadmRules, sortRules } from "@baton/ipvs";
import { type IpvsTable, openIpvsTable } from "@baton/linux";
import { until, within } from "../scene/network.ts";
import { type Life, Service, type ServiceName, startLife } from "./service.ts";

export type RunningName = ServiceName | "nats";

export interface RunningOptions {
  /** The text of baton.yaml. */
  readonly settings?: string;
  /** As `-I`: services stay in the kernel at the end. */
  readonly keepsServices?: boolean;
}

/** Emulated, and perhaps beside busy processes. */
const patienceSeconds = 600;
/** How control says it, to its log alone. */
const rejected = "the configuration was rejected";
/** In a namespace that nobody shares. */
const natsPort = 4222;

export class RunningBaton {
  /** Also its namespace's. */
  readonly name: string;
  readonly #directory: string;
  readonly #table: IpvsTable;
  readonly #services: Readonly<Record<ServiceName, Service>>;
  readonly #log: number;
  readonly #bus: { life: Life | undefined } = { life: undefined };
  #applied = 0;
  #isOver = false;

  private constructor(name: string, text: string, options: RunningOptions) {
    this.name = name;
    this.#directory = `/run/${name}`;
    for (const each of [this.#directory, this.runDirectory, this.#place("state")]) mkdirSync(each, { mode: 0o700 });
    writeFileSync(this.#place("keepalived.conf"), text);
    this.#log = openSync(this.#place("log"), "a");
    this.#table = within(name, openIpvsTable);
    const env: NodeJS.ProcessEnv = {
      ...process.env,
      BATON_NODE: name,
      BATON_RUN_DIR: this.runDirectory,
      BATON_STATE_DIR: this.#place("state"),
      BATON_CONFIG: this.#place("keepalived.conf"),
      BATON_CONFIG_ID: name,
    };
    if (options.keepsServices === true) env.BATON_KEEP_SERVICES = "1";
    if (options.settings !== undefined) {
      env.BATON_SETTINGS = this.#place("baton.yaml");
      writeFileSync(env.BATON_SETTINGS, options.settings);
    }
    const service = (each: ServiceName): Service =>
      new Service(each, { namespace: name, log: this.#log, env, reported: (report) => this.#hear(each, report) });
    this.#services = { control: service("control"), health: service("health"), balancer: service("balancer") };
  }

  /** `name`: of a namespace that is there. Fulfilled when all of it has started. */
  static async start(name: string, text: string, options: RunningOptions = {}): Promise<RunningBaton> {
    const baton = new RunningBaton(name, text, options);
    // All of them load at once; health and balancer wait for the first configuration.
    for (const service of Object.values(baton.#services)) service.start();
    await baton.#startBus();
    await baton.waitReady();
    return baton;
  }

  get runDirectory(): string {
    return this.#place("run");
  }

  /** Services that have loaded, or have loaded again. */
  async waitReady(): Promise<void> {
    for (const service of Object.values(this.#services)) {
      if (service.pid !== undefined) await service.waitReady(patienceSeconds, () => this.log());
    }
  }

  table(): DumpedService[] {
    return this.#table.list();
  }

  /** As ipvsadm prints it, in one order. */
  rules(): string[] {
    return sortRules(ipvsadmRules(this.table()));
  }

  /** Fulfilled when control has applied it; the others hear of it then. */
  async reload(text: string): Promise<void> {
    writeFileSync(this.#place("keepalived.conf"), text);
    const [applied, said] = [this.#applied, this.log().length];
    this.#services.control.tell({ type: "reload" });
    const answered = (): boolean => this.#applied > applied || this.log().includes(rejected, said);
    await until("a configuration to be applied", answered, patienceSeconds);
    if (this.#applied === applied) throw new Error(`rejected:\n${this.log().slice(said)}`);
  }

  pidOf(service: RunningName): number | undefined {
    return service === "nats" ? this.#bus.life?.child.pid : this.#services[service].pid;
  }

  /** SIGKILL; another one is started at once. Fulfilled before that has loaded: see `waitReady`. */
  async kill(service: RunningName): Promise<void> {
    if (service !== "nats") return this.#services[service].kill();
    const { life } = this.#bus;
    life?.child.kill("SIGKILL");
    await life?.ended;
  }

  /** One service alone ends as the supervisor ends it, and stays away until `begin`. */
  end(service: ServiceName, reason = "the test ends it"): Promise<void> {
    return this.#services[service].end(reason);
  }

  begin(service: ServiceName): void {
    this.#services[service].start();
  }

  /** In the supervisor's order. The table that it leaves can still be asked for. */
  async stop(): Promise<void> {
    this.#isOver = true;
    for (const service of ["balancer", "health", "control"] as const) await this.end(service, "SIGTERM");
    const { life } = this.#bus;
    life?.child.kill("SIGTERM");
    await life?.ended;
  }

  log(): string {
    return readFileSync(this.#place("log"), "utf8");
  }

  #place(file: string): string {
    return join(this.#directory, file);
  }

  #hear(service: ServiceName, report: ServiceReport): void {
    if (report.type !== "config") return;
    this.#applied += 1;
    // Who has nothing to balance has no process for it.
    if (this.#isOver || service !== "control") return;
    if (report.balances) this.#services.balancer.start();
    else void this.#services.balancer.end("not needed any more");
  }

  async #startBus(): Promise<void> {
    const config = this.#place("nats-server.conf");
    const words = [this.name, this.runDirectory, this.#place("state"), config, String(natsPort)];
    const main = fileURLToPath(new URL("bus-main.js", import.meta.url));
    const preparing = startLife(this.name, [process.execPath, main, ...words], this.#log, process.env);
    await until("the bus's configuration", () => existsSync(config), patienceSeconds);
    this.#startNats(config);
    await preparing.ended;
    if (preparing.child.exitCode !== 0) throw new Error(`the bus cannot be prepared:\n${this.log()}`);
  }

  #startNats(config: string): void {
    const life = startLife(this.name, ["nats-server", "-c", config], this.#log, process.env);
    this.#bus.life = life;
    void life.ended.then(() => {
      if (!this.#isOver) this.#startNats(config);
    });
  }
}
