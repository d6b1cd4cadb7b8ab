// The address table without a kernel: the same answers, the same events, for tests of what stands on it. It passes the
// contract tests of the real one (address-table-contract.ts), plus what only a fake can do: fail and forget on demand.
import { type Instant, ipFamily } from "@baton/domain";
import { type AddressList, addressList, sharesSubnet } from "../address-list.ts";
import type {
  AddressChange,
  AddressEvent,
  AddressInfo,
  AddressSpec,
  AddressTable,
  AddressTableOptions,
  ChangeResult,
} from "../api.ts";
import { LinuxError } from "../error.ts";
import { addressTag, encodeAddressChange } from "../rtnetlink.ts";

/** The memory behind any number of open tables, as the kernel is behind any number of sockets. */
export interface InMemoryAddressTable {
  open(options?: AddressTableOptions): AddressTable;
  /** A change by somebody else: seen by list() and told as an event. */
  interfere(batch: readonly AddressChange[]): ChangeResult[];
  /** Lets every lifetime that is over by `now` end, as the kernel does. */
  expire(now: Instant): void;
  /** The next changes that name this address fail so, until undefined is given. */
  failWith(address: AddressSpec["address"], code: string | undefined): void;
  /** Loses the events that were not told yet, and tells of a gap instead. */
  loseEvents(): void;
}

export interface InMemoryAddressTableOptions {
  readonly interfaces: readonly { readonly ifindex: number; readonly name: string }[];
  /** For lifetimes; without it they never end. */
  now?(): Instant;
}

const done: ChangeResult = { ok: true };
const failure = (code: string, message: string): ChangeResult => ({ ok: false, code, message });

export function inMemoryAddressTable(options: InMemoryAddressTableOptions): InMemoryAddressTable {
  const watches = new Set<Watch>();
  const memory = makeMemory(options, (event) => {
    for (const watch of watches) watch.tell(event);
  });
  const change = (batch: readonly AddressChange[]): ChangeResult[] => {
    for (const item of batch) encodeAddressChange(item); // the same assertions as the real one
    return batch.map(memory.carryOut);
  };
  return {
    open: (tableOptions = {}) => openTable(tableOptions, watches, memory.list, change),
    interfere: change,
    expire: memory.expire,
    failWith: memory.failWith,
    loseEvents: () => {
      for (const watch of watches) watch.lose();
    },
  };
}

interface Memory extends Pick<InMemoryAddressTable, "expire" | "failWith"> {
  list(): AddressInfo[];
  carryOut(change: AddressChange): ChangeResult;
}

function makeMemory(options: InMemoryAddressTableOptions, tell: (event: AddressEvent) => void): Memory {
  const names = new Map(options.interfaces.map(({ ifindex, name }) => [ifindex, name]));
  const lists = new Map<number, AddressList>(options.interfaces.map(({ ifindex }) => [ifindex, addressList()]));
  const expiries = new Map<string, number>();
  const failures = new Map<string, string>();

  const remove = (list: AddressList, info: AddressInfo): void => {
    // Without promote_secondaries, the kernel's default, the secondaries of a subnet go with its primary, before it.
    const dependent = (other: AddressInfo): boolean => other.flags.secondary && sharesSubnet(other, info);
    if (!info.flags.secondary) for (const other of list.all()) if (dependent(other)) remove(list, other);
    list.remove(info);
    expiries.delete(keyOf(info));
    tell({ type: "removed", address: info });
  };
  const set = (list: AddressList, { op, spec }: AddressChange & { op: "add" | "replace" }): ChangeResult => {
    const existing = list.get({ ...spec, peer: spec.peer });
    if (existing !== undefined && op === "add") return failure("EEXIST", "File exists");
    const info = infoOf(spec, names.get(spec.ifindex) ?? "", existing, list.all());
    list.set(info);
    const now = options.now?.();
    if (now === undefined || spec.validLifetime === undefined) expiries.delete(keyOf(info));
    else expiries.set(keyOf(info), now + spec.validLifetime * 1_000_000);
    const isRenewal = existing?.protocol === addressTag && info.protocol === addressTag;
    if (!isRenewal || ipFamily(info.address) === 6) tell({ type: "set", address: info });
    return done;
  };
  return {
    list: () => [...lists.values()].flatMap((list) => list.all()),
    carryOut: (change) => {
      const list = lists.get(change.spec.ifindex);
      if (list === undefined) return failure("ENODEV", "No such device");
      const forced = failures.get(change.spec.address);
      if (forced !== undefined) return failure(forced, `made to fail with ${forced}`);
      if (change.op !== "delete") return set(list, change);
      const info = list.get({ ...change.spec, peer: change.spec.peer });
      if (info === undefined) return failure("EADDRNOTAVAIL", "Address not found");
      remove(list, info);
      return done;
    },
    expire: (now) => {
      const isOver = (info: AddressInfo): boolean => (expiries.get(keyOf(info)) ?? Number.POSITIVE_INFINITY) <= now;
      for (const list of lists.values()) for (const info of list.all()) if (isOver(info)) remove(list, info);
    },
    failWith: (address, code) => void (code === undefined ? failures.delete(address) : failures.set(address, code)),
  };
}

interface Watch {
  tell(event: AddressEvent): void;
  lose(): void;
}

function openTable(
  options: AddressTableOptions,
  watches: Set<Watch>,
  list: AddressTable["list"],
  change: AddressTable["change"],
): AddressTable {
  const watch = makeWatch(options, () => watches.has(watch));
  watches.add(watch);
  const assertOpen = (): void => {
    if (!watches.has(watch)) throw new LinuxError("EBADF", "netlink request", "the socket is closed");
  };
  return {
    list: () => {
      assertOpen();
      return list();
    },
    change: (batch) => {
      assertOpen();
      return change(batch);
    },
    close: () => void watches.delete(watch),
  };
}

/** Events come in a later turn of the loop, together, as from a socket. */
function makeWatch(options: AddressTableOptions, isOpen: () => boolean): Watch {
  const pending: AddressEvent[] = [];
  return {
    tell: (event) => {
      if (pending.push(event) > 1) return;
      setImmediate(() => {
        const events = pending.splice(0);
        if (isOpen() && events.length > 0) options.onChange?.(events);
      });
    },
    lose: () => {
      pending.splice(0);
      setImmediate(() => {
        if (isOpen()) options.onGap?.();
      });
    },
  };
}

const keyOf = (info: AddressInfo): string =>
  `${info.ifindex} ${info.address}/${info.prefixLength} ${info.peer ?? info.address}`;

function infoOf(
  spec: AddressSpec,
  interfaceName: string,
  existing: AddressInfo | undefined,
  list: readonly AddressInfo[],
): AddressInfo {
  const v4 = ipFamily(spec.address) === 4;
  const fresh: AddressInfo = {
    ifindex: spec.ifindex,
    address: spec.address,
    prefixLength: spec.prefixLength,
    peer: spec.peer,
    label: v4 ? (spec.label ?? interfaceName) : undefined,
    broadcast: v4 ? spec.broadcast : undefined,
    scope: v4 ? (spec.scope ?? 0) : scopeOfV6(spec.address),
    flags: {
      permanent: spec.validLifetime === undefined,
      secondary: false,
      noPrefixRoute: spec.noPrefixRoute ?? false,
      noDad: v4 ? false : (spec.noDad ?? false),
      tentative: false,
      dadFailed: false,
      deprecated: spec.preferredLifetime === 0,
      homeAddress: spec.homeAddress ?? false,
      manageTemporary: spec.manageTemporary ?? false,
      autojoin: spec.autojoin ?? false,
    },
    protocol: spec.protocol ?? 0,
    validLifetime: spec.validLifetime,
    preferredLifetime: spec.preferredLifetime ?? spec.validLifetime,
  };
  if (existing === undefined) {
    const secondary = list.some((other) => !other.flags.secondary && sharesSubnet(other, fresh));
    return { ...fresh, flags: { ...fresh.flags, secondary } };
  }
  // A replacement changes lifetimes, tag and flags; label, broadcast and scope stay as they were made.
  const { label, broadcast, scope } = existing;
  return { ...fresh, label, broadcast, scope, flags: { ...fresh.flags, secondary: existing.flags.secondary } };
}

const scopeOfV6 = (address: string): number => (address.startsWith("fe80:") ? 253 : address === "::1" ? 254 : 0);
