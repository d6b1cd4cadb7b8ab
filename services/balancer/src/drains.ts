// Servers that are being drained: as long as there are any, the kernel is asked each second whether somebody is still
// connected to them. Whoever ended a drain because of what is told here may have missed it, so it is told again.
import { type CauseRef, type Instant, microsSince, secondsToMicros } from "@baton/domain";
import type { Answer, Ask, Connected, Place } from "./keeper.ts";
import type { Wish } from "./wish.ts";

export interface DrainedServer {
  readonly virtualServer: string;
  /** `poolServerName`. */
  readonly server: string;
  /** What began it, where that was heard. */
  readonly cause: CauseRef | undefined;
}

interface Drain extends DrainedServer {
  toldAt: Instant | undefined;
  /** Looks in a row that found nobody. */
  idleLooks: number;
}

/** One service of one that is drained, and what the server is there. */
interface DrainedPlace extends Place {
  readonly drain: Drain;
}

const toldAgain = secondsToMicros(5);
/** Services of one question; others are heard in between. */
const placesMax = 100;
/** Services that are asked about in a second: a group with a mark or an address for each of thousands takes several. */
const placesPerSecond = 1_000;
/** Asking takes its time from everybody else: so many times that, it is not repeated. */
const restAfterAsking = 20;
const restMax = secondsToMicros(60);

/** Of all places of one drain, as far as they were asked about. */
interface Found {
  isBusy: boolean;
  /** Some engines do not tell weights. */
  isUnweighed: boolean;
}

type Named = Pick<DrainedServer, "virtualServer" | "server">;
const keyOf = ({ virtualServer, server }: Named): string => `${virtualServer}\n${server}`;

export class Drains {
  readonly #wish: Wish;
  readonly #drains = new Map<string, Drain>();
  /** One round: nobody is judged before all his places were asked about. */
  #round: DrainedPlace[] = [];
  #found = new Map<Drain, Found>();
  #asked: readonly DrainedPlace[] = [];
  /** How many may be asked about now. */
  #due = 0;
  #askedAt: Instant | undefined;
  /** Since then, in microseconds. */
  #cost = 0;
  #error = "";

  constructor(wish: Wish) {
    this.#wish = wish;
  }

  get isEmpty(): boolean {
    return this.#drains.size === 0;
  }

  /** All there are. */
  replace(servers: readonly DrainedServer[]): void {
    const wanted = new Set(servers.map(keyOf));
    for (const key of [...this.#drains.keys()]) if (!wanted.has(key)) this.#drains.delete(key);
    for (const server of servers) this.begin(server);
  }

  begin({ virtualServer, server, cause }: DrainedServer): void {
    const key = keyOf({ virtualServer, server });
    if (!this.#drains.has(key))
      this.#drains.set(key, { virtualServer, server, cause, toldAt: undefined, idleLooks: 0 });
  }

  end(server: Named): void {
    this.#drains.delete(keyOf(server));
  }

  /** Why nobody can be judged. */
  errors(): readonly string[] {
    return this.#error === "" || this.isEmpty ? [] : [`connections of drained servers: ${this.#error}`];
  }

  ask(now: Instant): void {
    const rest = Math.min(restMax, this.#cost * restAfterAsking);
    if (this.isEmpty || (this.#askedAt !== undefined && microsSince(now, this.#askedAt) < rest)) return;
    this.#askedAt = now;
    this.#cost = 0;
    this.#due = placesPerSecond;
    if (this.#round.length === 0) this.#startRound();
  }

  next(): Ask | undefined {
    this.#asked = this.#round.slice(0, Math.min(placesMax, this.#due));
    return this.#asked.length === 0 ? undefined : { kind: "count-connections", places: this.#asked };
  }

  /** Those that nobody is connected to any more, and of whom that is to be told. */
  take(answer: Answer, now: Instant, elapsedMicros: number): readonly DrainedServer[] {
    this.#cost += elapsedMicros;
    if (answer.kind !== "connections") {
      this.#error = answer.kind === "failed" ? answer.error : "no answer";
      this.#round = [];
      return [];
    }
    this.#error = "";
    this.#round.splice(0, this.#asked.length);
    this.#due -= this.#asked.length;
    this.#asked.forEach(({ drain }, at) => {
      const connected = answer.connected[at];
      const found = this.#found.get(drain) ?? { isBusy: false, isUnweighed: false };
      this.#found.set(drain, found);
      if (connected === undefined) return;
      found.isBusy ||= isBusy(connected);
      found.isUnweighed ||= connected.weight === undefined;
    });
    return this.#round.length === 0 ? this.#judge(now) : [];
  }

  #startRound(): void {
    this.#found = new Map();
    this.#round = [...this.#drains.values()].flatMap((drain) =>
      this.#wish
        .aloneWith(drain.virtualServer, drain.server)
        .flatMap(({ key, destinations }) => destinations.map((destination) => ({ drain, service: key, destination }))),
    );
  }

  #judge(now: Instant): readonly DrainedServer[] {
    this.#due = 0;
    // Whoever has ended meanwhile is judged no more.
    const judged = [...this.#found].filter(([drain]) => this.#drains.get(keyOf(drain)) === drain);
    for (const [drain, found] of judged) drain.idleLooks = found.isBusy ? 0 : drain.idleLooks + 1;
    const isDue = ({ toldAt }: Drain): boolean => toldAt === undefined || microsSince(now, toldAt) >= toldAgain;
    const idle = judged.flatMap(([drain, found]) =>
      drain.idleLooks >= looksFor(found) && isDue(drain) ? [drain] : [],
    );
    for (const drain of idle) drain.toldAt = now;
    return idle;
  }
}

/** With a weight it has not been told yet that it gets no more. */
const isBusy = ({ weight = 0, active }: Connected): boolean => weight > 0 || active > 0;

/** Where the weight is not told, the first look may have come before the change of the rules. */
const looksFor = ({ isUnweighed }: Found): number => (isUnweighed ? 2 : 1);
