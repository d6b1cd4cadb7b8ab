// Interfaces that hear the same wire. The group's packets come to a virtual MAC's interface and to the one below it,
// whichever of the two an instance listens on: what one of them does not know may well be expected beside it.
import type { InstanceConfig, InstanceLinks } from "@baton/keepalived-conf";

/** A virtual router, as configured or as a packet names it. */
interface Named {
  readonly vrid: number;
  readonly family: 4 | 6;
}
type Listener = Named & Pick<InstanceConfig, "interface">;

interface Hearing {
  readonly instance: Pick<InstanceConfig, "interface">;
  readonly links: InstanceLinks | undefined;
}

/** Where its adverts leave and arrive. */
export const advertInterfaceOf = ({ instance, links }: Hearing): string => links?.adverts ?? instance.interface;

export class Wires {
  /** The interface that each one stands on. */
  readonly #below = new Map<string, string>();
  /** Where each virtual router is heard, by the interface below. */
  readonly #heardOn = new Map<string, Set<string>>();

  constructor(members: Iterable<{ readonly instance: Listener; readonly links: InstanceLinks | undefined }>) {
    for (const member of members) {
      const { instance } = member;
      const name = advertInterfaceOf(member);
      this.#below.set(name, instance.interface);
      const key = keyOf(instance.interface, instance);
      this.#heardOn.set(key, (this.#heardOn.get(key) ?? new Set()).add(name));
    }
  }

  /** Whether an instance that listens on another interface of the same wire expects this. */
  isExpectedBeside(interfaceName: string, packet: Named): boolean {
    const below = this.#below.get(interfaceName);
    const heardOn = below === undefined ? undefined : this.#heardOn.get(keyOf(below, packet));
    return heardOn !== undefined && !heardOn.has(interfaceName);
  }
}

const keyOf = (below: string, { vrid, family }: Named): string => `${below} ${family} ${vrid}`;
