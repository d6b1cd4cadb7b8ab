// Which addresses are on this machine (`ha_suspend`), as the kernel tells of them.
import { type IpAddress, messageOf } from "@baton/domain";
import { type AddressInfo, openAddressTable } from "@baton/linux";
import { type AddressRange, isWithin } from "./check-specs.ts";

export interface LocalAddresses {
  /** One of them is here, on whatever interface. */
  has(range: AddressRange): boolean;
  close(): void;
}

/** Throws LinuxError where the kernel cannot be asked. `onProblem`: what it told once stands. */
export function watchLocalAddresses(onChange: () => void, onProblem: (reason: string) => void): LocalAddresses {
  const places = new Map<IpAddress, Set<string>>();
  const placeOf = ({ ifindex, prefixLength }: AddressInfo): string => `${ifindex} ${prefixLength}`;
  const add = (info: AddressInfo): void => {
    const known = places.get(info.address) ?? new Set();
    places.set(info.address, known.add(placeOf(info)));
  };
  const remove = (info: AddressInfo): void => {
    const known = places.get(info.address);
    if (known?.delete(placeOf(info)) === true && known.size === 0) places.delete(info.address);
  };
  const readAll = (): void => {
    const list = table.list();
    places.clear();
    for (const each of list) add(each);
  };
  const table = openAddressTable({
    onChange: (events) => {
      const before = places.size;
      let isNew = false;
      for (const { type, address } of events) {
        if (type === "set") isNew = isNew || !places.has(address.address);
        if (type === "set") add(address);
        else remove(address);
      }
      // A renewal, and one that goes while it is elsewhere too, change nothing.
      if (isNew || places.size !== before) onChange();
    },
    onGap: () => {
      try {
        readAll();
      } catch (error) {
        onProblem(messageOf(error));
      }
      onChange();
    },
  });
  readAll();
  return {
    has: (range) =>
      range.first === range.last ? places.has(range.first) : [...places.keys()].some((each) => isWithin(range, each)),
    close: () => table.close(),
  };
}
