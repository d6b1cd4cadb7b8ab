// One look at the whole table, a part at a time: first the services, then the destinations of those that concern us.
import { type DumpedService, serviceName } from "@baton/ipvs";
import type { Answer, Ask } from "../keeper.ts";

type Alone = Omit<DumpedService, "destinations">;

/** Services of one question: about a millisecond. */
const servicesMax = 50;

export class TableReading {
  readonly found = new Map<string, DumpedService>();
  readonly #withDestinations: boolean;
  #services: readonly Alone[] | undefined;
  #at = 0;

  constructor(withDestinations: boolean) {
    this.#withDestinations = withDestinations;
  }

  get isDone(): boolean {
    return this.#services !== undefined && this.#at >= this.#services.length;
  }

  next(): Ask {
    if (this.#services === undefined) return { kind: "list-services" };
    return { kind: "list-destinations", services: this.#slice().map(({ key }) => key) };
  }

  /** Names of the services that are read with it. `isRelevant`: by the name of a service; somebody else's are not read. */
  take(answer: Answer, isRelevant: (name: string) => boolean): readonly string[] {
    if (answer.kind === "services") {
      this.#services = answer.services.filter(({ key }) => isRelevant(serviceName(key)));
      return this.#withDestinations ? [] : this.#keep(this.#services, []);
    }
    return answer.kind === "destinations" ? this.#keep(this.#slice(), answer.lists) : [];
  }

  #slice(): readonly Alone[] {
    return this.#services?.slice(this.#at, this.#at + servicesMax) ?? [];
  }

  #keep(services: readonly Alone[], lists: readonly DumpedService["destinations"][]): readonly string[] {
    const names = services.map((service, at) => {
      const name = serviceName(service.key);
      this.found.set(name, { ...service, destinations: lists[at] ?? [] });
      return name;
    });
    this.#at += services.length;
    return names;
  }
}
