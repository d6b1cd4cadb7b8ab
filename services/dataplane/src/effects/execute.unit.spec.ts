// What goes to the kernel in which order, with a kernel that only writes down what it is asked.
import { type IpAddress, instant } from "@baton/domain";
import { type AddressChange, type ChangeResult, limits } from "@baton/linux";
import { expect, test } from "vitest";
import { ip } from "../testing/rig.ts";
import type { Herald } from "../types.ts";
import { execute, type Outputs } from "./execute.ts";

const perSend = limits.changesPerSend;
const addresses = Array.from({ length: 2 * perSend + 20 }, (_, i) => ip(`10.50.${i >> 8}.${i & 255}`));
const changes = addresses.map(
  (address): AddressChange => ({ op: "add", spec: { ifindex: 2, address, prefixLength: 32 } }),
);
const herald = (from: number, to: number, until = 1_000): Herald => ({
  instance: "VI_1",
  interface: "eth0",
  ifindex: 2,
  mac: "02:00:00:00:00:01",
  addresses: addresses.slice(from, to),
  after: to,
  until: instant(until),
});

function carryOut(heralds: readonly Herald[], refused?: IpAddress) {
  const calls: string[] = [];
  const at = (address: IpAddress): number => addresses.indexOf(address);
  const result = ({ spec }: AddressChange): ChangeResult =>
    spec.address === refused ? { ok: false, code: "EPERM", message: "" } : { ok: true };
  const change = (batch: readonly AddressChange[]) => {
    calls.push(`change ${batch.length}`);
    return batch.map(result);
  };
  const announce = (_: number, announced: readonly IpAddress[]) => {
    calls.push(`announce ${announced[0] && at(announced[0])} to ${at(announced.at(-1) ?? ip("::"))}`);
    return { sent: announced.length, error: undefined };
  };
  const list = () => {
    calls.push("read");
    return [];
  };
  const outputs = { host: { now: () => instant(500) }, kernel: { change, announce, addresses: list } };
  const answer = execute({ type: "change-addresses", changes, heralds }, outputs as unknown as Outputs);
  return { calls, answer };
}

const parts = [herald(0, perSend), herald(perSend, 2 * perSend), herald(2 * perSend, addresses.length)] as const;

test("part by part: added, announced, and all read back at the end", () => {
  const { calls, answer } = carryOut(parts);
  expect(calls).toEqual([
    "change 100",
    "announce 0 to 99",
    "change 100",
    "announce 100 to 199",
    "change 20",
    "announce 200 to 219",
    "read",
  ]);
  expect(answer).toMatchObject({ type: "addresses-applied", heralded: [perSend, perSend, 20] });
  expect(answer).toMatchObject({ results: addresses.map(() => ({ ok: true })) });
});

test("small parts go with one send, and what nobody heralds is added all the same", () => {
  const { calls } = carryOut([herald(0, 20), herald(20, 40), herald(60, 110)]);
  expect(calls).toEqual([
    "change 100",
    "announce 0 to 19",
    "announce 20 to 39",
    "change 100",
    "announce 60 to 109",
    "change 20",
    "read",
  ]);
});

test("nothing is announced of a part in which an address was refused", () => {
  const { calls, answer } = carryOut(parts, addresses[150]);
  expect(calls.filter((call) => call.startsWith("announce"))).toEqual(["announce 0 to 99", "announce 200 to 219"]);
  expect(answer).toMatchObject({ heralded: [perSend, 0, 20] });
});

test("nothing is announced when its lease is over", () => {
  const { answer } = carryOut([herald(0, perSend, 501), herald(perSend, 2 * perSend, 500)]);
  expect(answer).toMatchObject({ heralded: [perSend, 0] });
});
