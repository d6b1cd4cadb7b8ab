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
/** Services that are asked about in a second: a group with a mark or an address for each of thousands is not. */
const placesMax = 1_000;

type Named = Pick<DrainedServer, "virtualServer" | "server">;
const keyOf = ({ virtualServer, server }: Named): string => `${virtualServer}\n${server}`;

export class Drains {
  readonly #wish: Wish;
  readonly #drains = new Map<string, Drain>();
  #places: readonly DrainedPlace[] = [];
  #isDue = false;

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

  ask(): void {
    this.#isDue = this.#drains.size > 0;
  }

  next(): Ask | undefined {
    if (!this.#isDue) return undefined;
    this.#isDue = false;
    this.#places = [...this.#drains.values()]
      .flatMap((drain) =>
        this.#wish
          .aloneWith(drain.virtualServer, drain.server)
          .flatMap(({ key, destinations }) =>
            destinations.map((destination) => ({ drain, service: key, destination })),
          ),
      )
      .slice(0, placesMax);
    if (this.#places.length === 0) return undefined;
    return { kind: "count-connections", places: this.#places };
  }

  /** Those that nobody is connected to any more, and of whom that is to be told. */
  take(answer: Answer, now: Instant): readonly DrainedServer[] {
    if (answer.kind !== "connections") return [];
    const found = new Map<Drain, Connected[]>();
    this.#places.forEach(({ drain }, at) => {
      const connected = answer.connected[at];
      found.set(drain, [...(found.get(drain) ?? []), ...(connected === undefined ? [] : [connected])]);
    });
    for (const [drain, all] of found) drain.idleLooks = all.some(isBusy) ? 0 : drain.idleLooks + 1;
    const idle = [...found].flatMap(([drain, all]) =>
      drain.idleLooks >= looksFor(all) && (drain.toldAt === undefined || microsSince(now, drain.toldAt) >= toldAgain)
        ? [drain]
        : [],
    );
    for (const drain of idle) drain.toldAt = now;
    return idle;
  }
}

/** With a weight it has not been told yet that it gets no more. */
const isBusy = ({ weight = 0, active }: Connected): boolean => weight > 0 || active > 0;

/** Where the weight is not told, the first look may have come before the change of the rules. */
const looksFor = (all: readonly Connected[]): number => (all.some(({ weight }) => weight === undefined) ? 2 : 1);
