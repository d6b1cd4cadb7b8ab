// What nft could not do is said until all is as it is to be, also where nothing is left to do for it; what comes while it
// runs is part of the next transaction, or of none.
import { instant } from "@baton/domain";
import { nothing, planBalancer } from "@baton/nft-balancer";
import { expect, test } from "vitest";
import type { Answer, Ask } from "../keeper.ts";
import { startStory } from "../story.ts";
import { configOf, pool, virtualServer } from "../testing/rig.ts";
import { Wish } from "../wish.ts";
import { NftablesKeeper } from "./nftables-keeper.ts";

const answerTo = ({ kind }: Ask): Answer =>
  kind === "read-rules"
    ? { kind: "rules", version: 5, state: { 4: undefined, 6: undefined }, connected: [] }
    : { kind: "rules-version", version: 5, connected: [] };

test("trouble is over with the next look that finds everything right", () => {
  const wish = new Wish();
  wish.configure(configOf(virtualServer("192.0.2.1 80", [1, 2])));
  const keeper = new NftablesKeeper(wish);
  const look = (answer: (ask: Ask) => Answer): void => {
    keeper.retry();
    keeper.look(startStory("repair", instant(1)));
    for (let ask = keeper.next(); ask !== undefined; ask = keeper.next()) keeper.take(ask, answer(ask));
  };
  look(() => ({ kind: "failed", error: "nft: EAGAIN" }));
  expect(keeper.errors()).toEqual(["nft: EAGAIN"]);
  look(answerTo);
  expect(keeper.errors()).toEqual([]);
});

const name = "[192.0.2.1]:tcp:80";
const nothingThere: Answer = { kind: "rules", version: 5, state: { 4: undefined, 6: undefined }, connected: [] };

/** Its first transaction runs. */
function running(): { wish: Wish; keeper: NftablesKeeper; first: Ask & { readonly kind: "run-rules" } } {
  const wish = new Wish();
  wish.configure(configOf(virtualServer("192.0.2.1 80", [1, 2])));
  const keeper = new NftablesKeeper(wish);
  keeper.want(wish.setPools([pool(name, { 1: 1 })]), startStory("start", instant(1)));
  expect(keeper.next()).toEqual({ kind: "read-rules" });
  keeper.take({ kind: "read-rules" }, nothingThere);
  return { wish, keeper, first: scriptOf(keeper.next()) };
}

function scriptOf(ask: Ask | undefined): Ask & { readonly kind: "run-rules" } {
  if (ask?.kind !== "run-rules") throw new Error(`it asks ${ask?.kind}`);
  return ask;
}

test("what comes while nft runs is told of, and there, after the next run", () => {
  const { wish, keeper, first } = running();
  expect(first.script).toContain("10.0.0.1");
  const news = startStory("pools", instant(2));
  keeper.want(wish.changePool(name, { set: [{ server: "10.0.0.2:80", role: "real", weight: 1 }], removed: [] }), news);
  keeper.take(first, { kind: "ran", version: 6 });
  expect(keeper.settled()).toMatchObject([{ reason: "start", total: 2 }]);
  expect(keeper.counts()).toEqual({ services: 1, destinations: 1 });
  const second = scriptOf(keeper.next());
  expect(second.script).toContain("10.0.0.2");
  keeper.take(second, { kind: "ran", version: 7 });
  expect(keeper.settled()).toMatchObject([{ reason: "pools", total: 1 }]);
  expect([keeper.counts().destinations, keeper.next()]).toEqual([2, undefined]);
});

test("what fails while something else waits is tried again with that", () => {
  const { wish, keeper, first } = running();
  keeper.want(wish.changePool(name, { set: [], removed: ["10.0.0.1:80"] }), startStory("pools", instant(2)));
  keeper.take(first, { kind: "failed", error: "nft took more than 120 s" });
  expect([keeper.errors(), keeper.next()]).toEqual([["nft took more than 120 s"], undefined]);
  keeper.retry();
  expect(keeper.next()).toEqual({ kind: "read-rules" });
  keeper.take({ kind: "read-rules" }, nothingThere);
  expect(scriptOf(keeper.next()).script).not.toContain("10.0.0.1");
});

test("at the end what was running counts for nothing: all is removed after it", () => {
  const { keeper, first } = running();
  const last = startStory("stop", instant(3));
  keeper.finish("services", last);
  keeper.settled();
  keeper.take(first, { kind: "failed", error: "nft was ended" });
  expect(keeper.settled()).toEqual([]);
  const removal = scriptOf(keeper.next());
  expect(removal.script).toContain("delete table");
  keeper.take(removal, { kind: "ran", version: 8 });
  expect([keeper.settled(), last.failed.total, keeper.next()]).toEqual([[last], 0, undefined]);
});

test("what an nft whose process was killed does in between is seen, and nothing stands twice", () => {
  const { keeper, first } = running();
  // Its transaction was the same: one number more than there would be with this one alone.
  keeper.take(first, { kind: "ran", version: 7 });
  keeper.look(startStory("repair", instant(4)));
  expect(keeper.next()).toEqual({ kind: "read-rules" });
});

test.each([
  ["told alone where nobody has meddled", false, ["pools"]],
  ["told besides what somebody has done", true, ["pools", "repair"]],
])("what changes while the rules are read is %s", (_, isGone, expected) => {
  const { wish, keeper, first } = running();
  keeper.take(first, { kind: "ran", version: 6 });
  keeper.settled();
  const options = { masquerade: "needed", connected: [] } as const;
  const ours = planBalancer({ wanted: wish.services, unknown: wish.unknown, state: nothing, options }).after;

  keeper.look(startStory("repair", instant(4)));
  keeper.take({ kind: "rules-version" }, { kind: "rules-version", version: 7, connected: [] });
  expect(keeper.next()).toEqual({ kind: "read-rules" });
  keeper.want(wish.setPools([pool(name, { 2: 1 })]), startStory("pools", instant(5)));
  keeper.take({ kind: "read-rules" }, { kind: "rules", version: 7, state: isGone ? nothing : ours, connected: [] });
  expect(keeper.drift() > 0).toBe(isGone);
  keeper.take(scriptOf(keeper.next()), { kind: "ran", version: 8 });
  const told = keeper.settled().filter(({ total }) => total > 0);
  expect(told.map(({ reason }) => reason)).toEqual(expected);
});

test("a process that finds a table sweeps once what goes another way than it leads, after its first plan", () => {
  const udpName = "[192.0.2.1]:udp:53";
  const text = virtualServer("192.0.2.1 53", [1, 2]).replace("TCP", "UDP");
  const left = new Wish();
  left.configure(configOf(text));
  left.setPools([pool(udpName, { 2: 1 })]);
  const options = { masquerade: "needed", connected: [] } as const;
  const state = planBalancer({ wanted: left.services, unknown: left.unknown, state: nothing, options }).after;
  const wish = new Wish();
  wish.configure(configOf(text));
  const keeper = new NftablesKeeper(wish);
  const asked: Ask[] = [];
  const work = (): void => {
    asked.splice(0);
    for (let ask = keeper.next(); ask !== undefined; ask = keeper.next()) {
      asked.push(ask);
      if (ask.kind === "forget-flows") keeper.take(ask, { kind: "forgot", isDone: true });
      else if (ask.kind === "read-rules") keeper.take(ask, { kind: "rules", version: 5, state, connected: [] });
      else keeper.take(ask, answerTo(ask));
    }
  };
  keeper.look(startStory("start", instant(1)));
  work();
  const end = (address: string, port: number) => ({ address, port });
  const services = [{ asked: end("192.0.2.1", 53), servers: [end("10.0.0.2", 80)] }];
  expect(asked).toEqual([{ kind: "read-rules" }, { kind: "forget-flows", flows: [], services, sweeps: true }]);
  keeper.want(wish.setPools([pool(udpName, { 2: 1 })]), startStory("pools", instant(2)));
  keeper.retry();
  keeper.look(startStory("repair", instant(3)));
  work();
  expect(asked).toEqual([{ kind: "rules-version" }]);
});

test("UDP flows of a server that has gone are forgotten after the rules, in parts, and again when that fails", () => {
  const wish = new Wish();
  wish.configure(configOf(virtualServer("192.0.2.1 53", [1, 2]).replace("TCP", "UDP")));
  const keeper = new NftablesKeeper(wish);
  const asked: Ask[] = [];
  let version = 5;
  let answers: Answer[] = [];
  const work = (): void => {
    asked.splice(0);
    for (let ask = keeper.next(); ask !== undefined; ask = keeper.next()) {
      asked.push(ask);
      if (ask.kind === "run-rules") keeper.take(ask, { kind: "ran", version: ++version });
      else if (ask.kind === "forget-flows") keeper.take(ask, answers.shift() ?? { kind: "forgot", isDone: true });
      else keeper.take(ask, answerTo(ask));
    }
  };
  const told = (weights: Record<number, number>): void => {
    keeper.want(wish.setPools([pool("[192.0.2.1]:udp:53", weights)]), startStory("pools", instant(1)));
    work();
  };
  const kinds = () => asked.map(({ kind }) => kind);
  const flows = () =>
    asked.flatMap((ask) => (ask.kind === "forget-flows" ? ask.flows.map(({ server }) => server?.address) : []));

  told({ 1: 1, 2: 1 });
  expect(kinds()).toEqual(["read-rules", "run-rules", "forget-flows"]);
  expect(flows()).toEqual([undefined]);
  told({ 1: 1, 2: 0 });
  expect(kinds()).toEqual(["run-rules"]);
  answers = [{ kind: "forgot", isDone: false }];
  told({ 1: 1 });
  expect(kinds()).toEqual(["run-rules", "forget-flows", "forget-flows"]);
  expect(flows()).toEqual(["10.0.0.2", "10.0.0.2"]);

  // A change does not wait for it.
  told({ 1: 1, 2: 1 });
  keeper.want(wish.setPools([pool("[192.0.2.1]:udp:53", { 1: 1 })]), startStory("pools", instant(1)));
  keeper.take(scriptOf(keeper.next()), { kind: "ran", version: ++version });
  const begun = keeper.next();
  if (begun !== undefined) keeper.take(begun, { kind: "forgot", isDone: false });
  told({ 2: 1 });
  expect(kinds()).toEqual(["run-rules", "forget-flows", "forget-flows"]);
  expect([asked[1] === begun, flows()]).toEqual([true, ["10.0.0.2", "10.0.0.1"]]);
  told({ 1: 1 });

  answers = [{ kind: "failed", error: "EOPNOTSUPP" }];
  told({ 2: 1 });
  expect(flows()).toEqual(["10.0.0.1"]);
  expect(keeper.errors()).toEqual([expect.stringContaining("EOPNOTSUPP")]);
  work();
  expect(kinds()).toEqual([]);
  keeper.retry();
  work();
  expect(flows()).toEqual(["10.0.0.1"]);
  expect(keeper.errors()).toEqual([]);

  // With growing pauses, and not for ever.
  answers = Array.from({ length: 5 }, () => ({ kind: "failed", error: "EBUSY" }));
  told({ 1: 1 });
  const tries = Array.from({ length: 40 }, (_, at) => {
    keeper.retry();
    work();
    expect(keeper.errors().length).toBe(at < 14 ? 1 : 0);
    return flows().length > 0 ? [at + 1] : [];
  });
  expect(tries.flat()).toEqual([1, 3, 7, 15]);

  // Its server is back.
  answers = [{ kind: "failed", error: "EBUSY" }];
  told({ 2: 1 });
  expect(keeper.errors().length).toBe(1);
  told({ 1: 1, 2: 1 });
  expect([flows(), keeper.errors()]).toEqual([[], []]);
});
