// What the rehearsal asks of the kernel: the whole of a takeover, and nothing that the kernel could do.
import { type IpAddress, instant } from "@baton/domain";
import { type AddressChange, limits } from "@baton/linux";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Kernel } from "./effects/kernel.ts";
import { rehearse } from "./rehearsal.ts";
import { desired, instanceConfig, link, vip } from "./testing/rig.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const realLink = link("eth0", 2);
const many = Array.from({ length: limits.changesPerSend + 100 }, (_, i) => `10.50.${i >> 8}.${i & 255}`);
const desiredOf = (addresses: readonly string[]) =>
  desired(
    1,
    instanceConfig(
      "VI_1",
      addresses.map((each) => vip(each)),
    ),
  );

function rehearseWith(addresses: readonly string[]) {
  const changes: (readonly AddressChange[])[] = [];
  const announced: { readonly ifindex: number; readonly addresses: readonly IpAddress[] }[] = [];
  const kernel = {
    links: () => [realLink],
    addresses: () => [],
    change: (batch: readonly AddressChange[]) => {
      changes.push(batch);
      return batch.map(() => ({ ok: false, code: "ENODEV", message: "" }));
    },
    announce: (ifindex: number, some: readonly IpAddress[]) => {
      announced.push({ ifindex, addresses: some });
      return { sent: 0, error: "ENXIO" };
    },
  };
  const rehearsal = rehearse(kernel as unknown as Kernel, { now: () => instant(5_000_000) }, desiredOf(addresses));
  return { changes, announced, rehearsal };
}

const additions = (changes: readonly (readonly AddressChange[])[]) =>
  changes.map((batch) => batch.filter(({ op }) => op === "add").length).filter((count) => count > 0);

test("an address of each family is added, announced and let go, on an interface that cannot exist", () => {
  const { changes, announced, rehearsal } = rehearseWith(many.slice(0, 3));
  vi.runAllTimers();
  rehearsal.close();
  expect(new Set(additions(changes))).toEqual(new Set([2]));
  expect(changes.filter((batch) => batch.every(({ op }) => op === "delete")).length).toBe(changes.length / 2);
  expect(announced.length).toBeGreaterThanOrEqual(changes.length / 2);
  const used = new Set([...changes.flat().map(({ spec }) => spec.ifindex), ...announced.map(({ ifindex }) => ifindex)]);
  expect([...used].every((ifindex) => ifindex > 0x7fff_0000)).toBe(true);
});

test("a crowd of addresses is rehearsed too: each part announced before the next is added", () => {
  const { changes, announced, rehearsal } = rehearseWith(many);
  vi.runAllTimers();
  rehearsal.close();
  const parts = new Set(additions(changes));
  expect([...parts].sort((a, b) => a - b)).toEqual([2, 20, limits.changesPerSend]);
  const sizes = new Set(announced.map(({ addresses }) => addresses.length));
  expect(sizes).toContain(limits.changesPerSend);
  expect(sizes).toContain(20);
  const used = new Set([...changes.flat().map(({ spec }) => spec.ifindex), ...announced.map(({ ifindex }) => ifindex)]);
  expect(used).not.toContain(realLink.ifindex);
});

test("it ends when it is told to", () => {
  const { changes, rehearsal } = rehearseWith(many);
  rehearsal.close();
  const before = changes.length;
  vi.runAllTimers();
  expect(changes.length).toBe(before);
});
