// What nft could not do is said until all is as it is to be, also where nothing is left to do for it.
import { instant } from "@baton/domain";
import { expect, test } from "vitest";
import type { Answer, Ask } from "../keeper.ts";
import { startStory } from "../story.ts";
import { configOf, virtualServer } from "../testing/rig.ts";
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
