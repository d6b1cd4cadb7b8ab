// The loop of dataplane: inputs in, core, effects out, all in the main thread, which does nothing else (SAFETY S3): disk,
// bus, traces and log lines are the backstage thread's (libs/host). Before a deadline is acted on, everything that waits
// in the inputs is taken in first (SAFETY S2).
import { isDeepStrictEqual } from "node:util";
import type { AggregateState, Counter } from "@baton/contracts";
import type { ConfigSnapshot, GrpcService, Host } from "@baton/host";
import { type DeadlineTimer, type LinkInfo, openDeadlineTimer } from "@baton/linux";
import { Core } from "./core.ts";
import { type Desired, desiredFrom } from "./desired.ts";
import { execute } from "./effects/execute.ts";
import { type Kernel, openKernel } from "./effects/kernel.ts";
import { createLeaseServer, type LeaseServer } from "./inputs/lease-server.ts";
import { transitionOf } from "./inputs/transitions.ts";
import { groundworkOf } from "./links/groundwork.ts";
import { rehearse } from "./rehearsal.ts";
import { routingProtocols } from "./routing/managed.ts";
import type { Heard, Input, Transition } from "./types.ts";

export interface RunningDataplane {
  /** Served beside WatchService, on the same socket. */
  readonly leaseService: GrpcService;
  states(): AggregateState[];
  counters(): Counter[];
  /** Lets everything go that is still held. */
  release(reason: string): void;
}

/** SAFETY S2: a flood of frames must not keep a deadline waiting for ever. */
const drainTurnsMax = 64;

export async function runDataplane(host: Host): Promise<RunningDataplane> {
  const dataplane = new Dataplane(host, await host.config.current());
  host.own(dataplane);
  return dataplane;
}

class Dataplane implements RunningDataplane {
  readonly #host: Host;
  readonly #kernel: Kernel;
  readonly #leases: LeaseServer;
  readonly #timer: DeadlineTimer;
  readonly #core: Core;
  readonly #rehearsal: { close(): void };
  readonly #queue: Input[] = [];
  readonly #heard: Heard[] = [];
  readonly #transitions: Transition[] = [];
  #interfaces: ReadonlySet<string> = new Set();
  #promoting: readonly string[] = [];
  #links: readonly LinkInfo[] = [];
  #isFeeding = false;
  #isDraining = false;
  #inputsSeen = 0;
  #isClosed = false;

  constructor(host: Host, snapshot: ConfigSnapshot) {
    this.#host = host;
    this.#kernel = this.#openKernel();
    this.#leases = createLeaseServer({
      onOpened: (stream) => this.#feed({ type: "stream-opened", stream }),
      onFrame: (stream, frame) => this.#feed({ type: "frame-received", stream, frame }),
      onClosed: (stream) => this.#feed({ type: "stream-closed", stream }),
      onMalformed: (reason) => host.log.error("a lease frame makes no sense", { reason }),
    });
    this.#timer = openDeadlineTimer(() => this.#judge());
    const desired = this.#desire(snapshot);
    this.#rehearsal = rehearse(this.#kernel, host, desired);
    // Before anybody is told that there is a dataplane: election finds the links that it speaks from. What the kernel
    // tells meanwhile waits until there is somebody to take it.
    this.#isFeeding = true;
    this.#kernel.keepGroundwork(groundworkOf(desired.instances.values(), new Set(), desired));
    this.#links = this.#kernel.links();
    const found = {
      links: this.#links,
      addresses: this.#kernel.addresses(),
      routing: this.#kernel.routing(routingProtocols(desired.instances.values())),
      silenced: this.#kernel.silenced(),
    };
    this.#core = new Core({ desired, ...found }, host.now());
    this.#isFeeding = false;
    this.#feed({ type: "tick" });
    host.config.onChange((next) => this.#feed({ type: "configured", desired: this.#desire(next) }));
    host.events.follow("election", ["vrrp"], {
      // The level is the lease stream itself: a snapshot says nothing that a frame does not say better.
      snapshot: () => undefined,
      event: (envelope) => {
        const transition = transitionOf(envelope);
        if (transition !== undefined) this.#see(transition);
      },
    });
  }

  get leaseService(): GrpcService {
    return this.#leases.grpc;
  }

  states(): AggregateState[] {
    return this.#core.states().map((value) => ({
      kind: "address",
      id: value.instance,
      version: this.#host.events.version({ kind: "address", id: value.instance }),
      state: { $case: "addresses", value },
    }));
  }

  counters(): Counter[] {
    return this.#core.counters();
  }

  release(reason: string): void {
    this.#feed({ type: "stopped", reason });
  }

  close(): void {
    this.#isClosed = true;
    this.#rehearsal.close();
    this.#timer.close();
    this.#leases.close();
    this.#kernel.close();
  }

  #openKernel(): Kernel {
    return openKernel({
      onLinks: () => this.#takeLinks(),
      onAddresses: (events) => this.#feed({ type: "addresses-changed", events }),
      onGap: () => {
        this.#host.log.warn("address events were lost: reading anew");
        this.#feed({ type: "addresses-read", addresses: this.#kernel.addresses() });
      },
      onRouting: (events) => this.#feed({ type: "routing-changed", events }),
      onRoutingGap: () => this.#feed({ type: "routing-lost" }),
      onNeighbour: (name, heard) => this.#hear({ interface: name, ...heard }),
      onTrouble: (message, error) => this.#host.log.error(message, { error: String(error) }),
    });
  }

  /** All that is heard in one turn of the loop together: a successor announces hundreds of addresses at once. */
  #hear(heard: Heard): void {
    this.#inputsSeen++;
    if (this.#heard.push(heard) > 1) return;
    setImmediate(() => this.#feed({ type: "neighbours-heard", heard: this.#heard.splice(0) }));
  }

  /** In the same way: a peer that ends makes thousands of masters at once. */
  #see(transition: Transition): void {
    this.#inputsSeen++;
    if (this.#transitions.push(transition) > 1) return;
    setImmediate(() => this.#feed({ type: "transitions-seen", transitions: this.#transitions.splice(0) }));
  }

  /** The monitor tells of addresses as well; those come by the table, with what happened. */
  #takeLinks(): void {
    const links = this.#kernel.links();
    if (isDeepStrictEqual(links, this.#links)) return;
    this.#links = links;
    this.#prepare();
    this.#feed({ type: "links-changed", links });
  }

  /** What a takeover should not have to do first; again when a link has come. */
  #prepare(): void {
    this.#kernel.prepare(this.#interfaces);
    const present = new Set(this.#kernel.links().map(({ name }) => name));
    for (const name of this.#promoting) if (present.has(name)) this.#kernel.promoteSecondaries(name);
  }

  #desire({ generation, config, settings }: ConfigSnapshot): Desired {
    const desired = desiredFrom(generation, config, settings);
    const addresses = [...desired.instances.values()].flatMap((instance) => instance.addresses);
    this.#interfaces = new Set(addresses.map((address) => address.interface));
    this.#promoting = desired.promoting;
    this.#prepare();
    return desired;
  }

  /** What an effect is answered with comes before anything else that waits. */
  #feed(input: Input): void {
    if (this.#isClosed) return;
    this.#inputsSeen++;
    this.#queue.push(input);
    if (this.#isFeeding) return;
    this.#isFeeding = true;
    try {
      for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) this.#step(next);
    } finally {
      this.#isFeeding = false;
    }
  }

  #step(input: Input): void {
    const outputs = { host: this.#host, kernel: this.#kernel, leases: this.#leases, timer: this.#timer };
    const answers: Input[] = [];
    for (const effect of this.#core.step(input, this.#host.now())) {
      const answer = execute(effect, outputs);
      if (answer !== undefined) answers.push(answer);
    }
    for (const answer of answers) this.#step(answer);
  }

  /** A deadline has come: first whole turns of the loop, until one has brought nothing. */
  #judge(): void {
    if (this.#isDraining) return;
    this.#isDraining = true;
    let seen = this.#inputsSeen;
    let turns = 0;
    const turn = (): void => {
      if (this.#inputsSeen !== seen && ++turns < drainTurnsMax) {
        seen = this.#inputsSeen;
        setImmediate(turn);
        return;
      }
      this.#isDraining = false;
      this.#feed({ type: "tick" });
    };
    setImmediate(turn);
  }
}
