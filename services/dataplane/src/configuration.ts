// Which configuration holds: a new one waits until election takes it at a step of its own, and says so with its next
// frame (SAFETY S18); then the difference is applied under the running leases. An instance that is gone from the file
// keeps its addresses here until its lease has ended: removing an instance is LEAVING too (SAFETY S6).
import { type Desired, type DesiredInstance, isSameAddress, type ManagedAddress } from "./desired.ts";

export interface Adoption {
  readonly generation: number;
  /** Addresses that the configuration before did not have, or had otherwise. */
  readonly added: ReadonlySet<string>;
}

export class Configuration {
  #current: Desired;
  #pending: readonly Desired[] = [];
  readonly #retired = new Map<string, DesiredInstance>();

  constructor(first: Desired) {
    this.#current = first;
  }

  get generation(): number {
    return this.#current.generation;
  }

  get settings(): Pick<Desired, "filter" | "pauses" | "localIgmp" | "repairsMax"> {
    return this.#current;
  }

  /** The kernel lease in seconds; undefined: for ever. An owner's address is the interface's own (SAFETY S10). */
  lifetimeOf(address: ManagedAddress): number | undefined {
    return address.owner || !this.#current.kernelLease ? undefined : this.instance(address.instance)?.kernelLease;
  }

  offer(desired: Desired): void {
    this.#pending = [...this.#pending.filter(({ generation }) => generation < desired.generation), desired];
  }

  /** Takes the newest that waits, up to `generation`. `isLive`: whether a lease still covers the instance. */
  adopt(generation: number, isLive: (instance: string) => boolean): Adoption | undefined {
    const next = this.#pending.findLast((each) => each.generation <= generation);
    if (next === undefined) return undefined;
    this.#pending = this.#pending.filter((each) => each.generation > next.generation);
    const before = new Map([...this.addresses()].map((address) => [address.key, address]));
    for (const instance of this.#current.instances.values()) {
      if (!next.instances.has(instance.name) && isLive(instance.name)) this.#retired.set(instance.name, instance);
    }
    for (const name of next.instances.keys()) this.#retired.delete(name);
    this.#current = next;
    const added = [...this.addresses()].filter((address) => !isSameAddress(before.get(address.key), address));
    return { generation: next.generation, added: new Set(added.map(({ key }) => key)) };
  }

  /**
   * A retired instance is forgotten once its lease has ended: what is left of its addresses goes as unconfigured.
   * True when there was one.
   */
  forgetRetired(isLive: (instance: string) => boolean): boolean {
    const before = this.#retired.size;
    for (const name of [...this.#retired.keys()]) if (!isLive(name)) this.#retired.delete(name);
    return this.#retired.size < before;
  }

  instance(name: string): DesiredInstance | undefined {
    return this.#current.instances.get(name) ?? this.#retired.get(name);
  }

  *instances(): Iterable<DesiredInstance> {
    yield* this.#current.instances.values();
    yield* this.#retired.values();
  }

  *addresses(): Iterable<ManagedAddress> {
    for (const { addresses } of this.instances()) yield* addresses;
  }

  interfaces(): Set<string> {
    return new Set([...this.addresses()].map((address) => address.interface));
  }
}
