// What an address table promises, run against the kernel's and against the in-memory twin: a fake that nobody checks
// drifts, and then green tests lie.
import { type IpAddress, parseIp } from "@baton/domain";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type {
  AddressChange,
  AddressEvent,
  AddressInfo,
  AddressSpec,
  AddressTable,
  AddressTableOptions,
  ChangeResult,
} from "../api.ts";
import { addressTag } from "../rtnetlink.ts";

/** A table over one interface without addresses that the tests may use alone. */
export interface TableUnderTest {
  readonly ifindex: number;
  readonly interfaceName: string;
  open(options: AddressTableOptions): AddressTable;
  /** A change by somebody else. */
  interfere(batch: readonly AddressChange[]): ChangeResult[];
  remove(): void;
}

export function ip(text: string): IpAddress {
  const address = parseIp(text);
  if (address === undefined) throw new Error(`no address: ${text}`);
  return address;
}

const ok = { ok: true };
const failed = (code: string) => ({ ok: false, code, message: expect.stringMatching(/./) });

export function addressTableContract(name: string, make: () => TableUnderTest): void {
  describe(name, () => {
    let subject: TableUnderTest;
    let table: AddressTable;
    const events: AddressEvent[] = [];
    beforeEach(() => {
      subject = make();
      events.splice(0);
      table = subject.open({ onChange: (told) => events.push(...told) });
    });
    afterEach(() => {
      table.close();
      subject.remove();
    });

    const spec = (address: string, more: Partial<AddressSpec> = {}): AddressSpec => ({
      ifindex: subject.ifindex,
      address: ip(address),
      prefixLength: address.includes(":") ? 64 : 24,
      ...more,
    });
    const add = (...specs: AddressSpec[]) => table.change(specs.map((item) => ({ op: "add", spec: item })));
    const replace = (...specs: AddressSpec[]) => table.change(specs.map((item) => ({ op: "replace", spec: item })));
    const del = (...specs: AddressSpec[]) => table.change(specs.map((item) => ({ op: "delete", spec: item })));
    const find = (address: string) =>
      table.list().find((info) => info.ifindex === subject.ifindex && info.address === address);
    const present = () =>
      table.list().filter((info) => info.ifindex === subject.ifindex && !info.address.startsWith("fe80:"));

    test("an address is listed with everything that was said of it", () => {
      const label = `${subject.interfaceName}:9`;
      const result = add(
        spec("10.1.0.5", { label, broadcast: ip("10.1.0.255"), scope: 253, protocol: 66, validLifetime: 90 }),
      );
      expect(result).toEqual([ok]);
      expect(find("10.1.0.5")).toEqual({
        ifindex: subject.ifindex,
        address: "10.1.0.5",
        prefixLength: 24,
        peer: undefined,
        label,
        broadcast: "10.1.0.255",
        scope: 253,
        protocol: 66,
        flags: {
          permanent: false,
          secondary: false,
          noPrefixRoute: false,
          noDad: false,
          tentative: false,
          dadFailed: false,
          deprecated: false,
          homeAddress: false,
          manageTemporary: false,
          autojoin: false,
        },
        validLifetime: 90,
        preferredLifetime: 90,
      });
    });

    test("what is not said has the kernel's defaults", () => {
      add(spec("10.1.0.5", { prefixLength: 32 }));
      const info = find("10.1.0.5");
      expect(info).toMatchObject({ label: subject.interfaceName, scope: 0, protocol: 0, prefixLength: 32 });
      expect(info).toMatchObject({ broadcast: undefined, validLifetime: undefined, preferredLifetime: undefined });
      expect(info?.flags.permanent).toBe(true);
    });

    test("adding an address twice is one address and EEXIST; another prefix is another address", () => {
      expect(add(spec("10.1.0.5"), spec("10.1.0.5"))).toEqual([ok, failed("EEXIST")]);
      expect(add(spec("10.1.0.5", { prefixLength: 32 }))).toEqual([ok]);
      expect(
        present()
          .map((info) => info.prefixLength)
          .sort(),
      ).toEqual([24, 32]);
    });

    test("replace creates, renews, and takes the lifetime away; the label stays", () => {
      const label = `${subject.interfaceName}:1`;
      expect(replace(spec("10.1.0.5", { label, validLifetime: 30 }))).toEqual([ok]);
      expect(find("10.1.0.5")).toMatchObject({ validLifetime: 30, label });
      expect(replace(spec("10.1.0.5", { label, validLifetime: 300, protocol: 7 }))).toEqual([ok]);
      expect(find("10.1.0.5")).toMatchObject({ validLifetime: 300, label, protocol: 7 });
      expect(find("10.1.0.5")?.flags.permanent).toBe(false);
      const again = spec("10.1.0.5", { label });
      expect(replace(again)).toEqual([ok]);
      expect(replace(again)).toEqual([ok]);
      expect(find("10.1.0.5")).toMatchObject({ validLifetime: undefined, label });
      expect(find("10.1.0.5")?.flags.permanent).toBe(true);
      expect(present().length).toBe(1);
    });

    ownAddressesContract({ events, spec, add, replace, find });

    test("delete removes; what is not there is EADDRNOTAVAIL, on no interface ENODEV", () => {
      add(spec("10.1.0.5"));
      expect(del(spec("10.1.0.6"), spec("10.1.0.5"), spec("10.1.0.5"))).toEqual([
        failed("EADDRNOTAVAIL"),
        ok,
        failed("EADDRNOTAVAIL"),
      ]);
      expect(add(spec("10.1.0.5", { ifindex: 99_999 }))).toEqual([failed("ENODEV")]);
      expect(del(spec("10.1.0.5", { ifindex: 99_999 }))).toEqual([failed("ENODEV")]);
      expect(present()).toEqual([]);
    });

    test("a big batch has a result in the place of each change", () => {
      const specs = Array.from({ length: 450 }, (_, i) =>
        spec(`10.${2 + (i >> 8)}.${i & 255}.1`, { prefixLength: 32 }),
      );
      // Every seventh is there already: the failures are spread over every chunk, and the last is one.
      const present7 = specs.filter((_, i) => i % 7 === 0 || i === 449);
      expect(add(...present7).every((result) => result.ok)).toBe(true);
      const results = add(...specs);
      expect(results.map((result) => result.ok)).toEqual(specs.map((_, i) => !(i % 7 === 0 || i === 449)));
      expect(present().length).toBe(450);
      expect(table.change([])).toEqual([]);
    });

    test("a second address of a subnet is a secondary, and goes with its primary", async () => {
      add(spec("10.1.0.5"), spec("10.1.0.6"), spec("10.1.1.6"));
      expect(find("10.1.0.6")?.flags.secondary).toBe(true);
      expect(find("10.1.1.6")?.flags.secondary).toBe(false);
      expect(del(spec("10.1.0.5"))).toEqual([ok]);
      expect(present().map((info) => info.address)).toEqual(["10.1.1.6"]);
      const told = () => events.filter(({ type }) => type === "removed").map(({ address }) => address.address);
      await vi.waitFor(() => expect(told()).toEqual(["10.1.0.6", "10.1.0.5"]));
    });

    test("IPv6: without DAD it is not tentative; scope is the kernel's; the prefix does not make another address", () => {
      expect(add(spec("2001:db8::5", { noDad: true, validLifetime: 60, preferredLifetime: 0 }))).toEqual([ok]);
      expect(find("2001:db8::5")).toMatchObject({
        prefixLength: 64,
        label: undefined,
        broadcast: undefined,
        scope: 0,
        validLifetime: 60,
        preferredLifetime: 0,
        flags: { noDad: true, tentative: false, deprecated: true },
      });
      expect(add(spec("2001:db8::5", { noDad: true }))).toEqual([failed("EEXIST")]);
      expect(replace(spec("2001:db8::5", { noDad: true }))).toEqual([ok]);
      expect(find("2001:db8::5")).toMatchObject({ validLifetime: undefined, flags: { deprecated: false } });
      expect(del(spec("2001:db8::5"))).toEqual([ok]);
      expect(find("2001:db8::5")).toBeUndefined();
    });

    test("a point-to-point address keeps its other end", () => {
      expect(add(spec("10.1.0.5", { peer: ip("10.9.9.9"), prefixLength: 32 }))).toEqual([ok]);
      expect(find("10.1.0.5")?.peer).toBe("10.9.9.9");
      expect(del(spec("10.1.0.5", { peer: ip("10.9.9.9"), prefixLength: 32 }))).toEqual([ok]);
      expect(present()).toEqual([]);
    });

    test("changes are told in order, ours and others', with what they are about", async () => {
      add(spec("10.1.0.5", { protocol: 66 }));
      subject.interfere([{ op: "delete", spec: spec("10.1.0.5") }]);
      subject.interfere([{ op: "add", spec: spec("10.1.0.7") }]);
      await vi.waitFor(() => expect(events.length).toBe(3));
      expect(events.map(({ type, address }) => [type, address.address, address.protocol])).toEqual([
        ["set", "10.1.0.5", 66],
        ["removed", "10.1.0.5", 66],
        ["set", "10.1.0.7", 0],
      ]);
      expect(events[2]?.address).toEqual(find("10.1.0.7"));
    });

    test("a mistake in one change throws before any is carried out", () => {
      const label = "longer-than-an-interface-name";
      expect(() => add(spec("10.1.0.5"), spec("10.1.0.6", { label }))).toThrow("a label has at most 15 bytes");
      expect(() => add(spec("10.1.0.5"), spec("10.1.0.6", { validLifetime: 0 }))).toThrow("not a lifetime: 0 s");
      expect(() => add(spec("10.1.0.5", { prefixLength: 33 }))).toThrow("no prefix length: 33");
      expect(present()).toEqual([]);
    });

    test("a closed table tells nothing and throws", async () => {
      let told = 0;
      const witness = subject.open({ onChange: () => told++ });
      table.close();
      table.close();
      expect(() => table.list()).toThrow("[EBADF]");
      expect(() => add(spec("10.1.0.5"))).toThrow("[EBADF]");
      subject.interfere([{ op: "add", spec: spec("10.1.0.8") }]);
      await vi.waitFor(() => expect(told).toBe(1));
      expect(events).toEqual([]);
      witness.close();
    });
  });
}

interface Tools {
  readonly events: AddressEvent[];
  spec(address: string, more: Partial<AddressSpec>): AddressSpec;
  add(...specs: AddressSpec[]): ChangeResult[];
  replace(...specs: AddressSpec[]): ChangeResult[];
  find(address: string): AddressInfo | undefined;
}

function ownAddressesContract({ events, spec, add, replace, find }: Tools): void {
  test("of an IPv4 address of Baton's own it is told when it comes, when it becomes another's, and not when it is renewed", async () => {
    const [own, another] = [spec("10.1.0.5", { protocol: addressTag }), spec("10.2.0.6", { protocol: 7 })];
    add({ ...own, validLifetime: 30 }, { ...another, validLifetime: 30 });
    await vi.waitFor(() => expect(events.length).toBe(2));
    // The kernel counts the changes of an address in hundredths of a second: sooner it looks like the first.
    await vi.waitFor(async () => {
      events.splice(0);
      replace({ ...own, validLifetime: 300 }, { ...another, validLifetime: 300 });
      await vi.waitFor(() => expect(events.map(({ address }) => address.address)).toContain("10.2.0.6"));
      expect(events.length).toBe(1);
    });
    expect(find("10.1.0.5")?.validLifetime).toBe(300);
    replace({ ...own, protocol: 0 });
    await vi.waitFor(() => expect(events.at(-1)?.address).toMatchObject({ address: "10.1.0.5", protocol: 0 }));
  });
}
