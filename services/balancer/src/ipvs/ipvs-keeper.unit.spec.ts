// A look at a table of many services takes nobody else's turn for long: each answer is judged when it comes.
import { instant } from "@baton/domain";
import { MemoryTable, serviceName, type WantedService } from "@baton/ipvs";
import { aDestination, addressKey, aService, withDestinations } from "@baton/ipvs/testing";
import { expect, test } from "vitest";
import { startStory } from "../story.ts";
import { MemoryKernel } from "../testing/memory-kernel.ts";
import { IpvsKeeper } from "./ipvs-keeper.ts";

/** Counts how often somebody asks what is wanted of a service. */
class Counting extends Map<string, WantedService> {
  asked = 0;

  override get(name: string): WantedService | undefined {
    this.asked += 1;
    return super.get(name);
  }
}

const services = Array.from({ length: 1_000 }, (_none, at) =>
  withDestinations(aService(addressKey(`192.0.${2 + (at >> 8)}.${at & 255}`)), aDestination("10.0.0.1")),
);

test("a look judges what one answer brings before it asks the next question", () => {
  const wanted = new Counting(services.map((each) => [serviceName(each.key), each]));
  const keeper = new IpvsKeeper({ wanted: { services: wanted, unknown: new Set() }, own: [], flush: false });
  const kernel = new MemoryKernel(new MemoryTable());
  const lookWhole = (): { readonly costs: number[]; readonly kinds: Set<string> } => {
    const [costs, kinds]: [number[], Set<string>] = [[], new Set()];
    keeper.look(startStory("repair", instant(0)));
    for (let ask = keeper.next(); ask !== undefined; ask = keeper.next()) {
      kinds.add(ask.kind);
      const before = wanted.asked;
      keeper.take(ask, kernel.carryOut(ask));
      costs.push(wanted.asked - before);
    }
    return { costs, kinds };
  };
  expect([...lookWhole().kinds]).toEqual(["list-services", "change"]);
  expect(kernel.table.dump()).toHaveLength(services.length);
  const { costs, kinds } = lookWhole();
  expect([...kinds]).toEqual(["list-services", "list-destinations"]);
  // Fifty services each.
  expect(costs.length).toBeGreaterThan(services.length / 100);
  expect(Math.max(...costs)).toBeLessThanOrEqual(100);
});
