import { expect, test } from "vitest";
import { type FollowedConfig, followBfd, followFile, startFollowed } from "./followed.ts";

const file = (weight: number, reverse = false): FollowedConfig => ({
  type: "FILE_CHECK",
  name: "chk",
  identity: "chk",
  weight,
  reverse,
});
const follow = (config: FollowedConfig, values: readonly number[]) => {
  let state = startFollowed(config, "start");
  return values.map((value) => {
    const next = followFile(state, value);
    state = next.state;
    return [next.news ?? "", state.up, state.weight?.weight ?? 0];
  });
};

test("a file's number times the weight is added to the server's", () => {
  expect(follow(file(10), [0, 3, 3, -2, 0])).toEqual([
    ["", true, 0],
    ["weight", true, 30],
    ["", true, 30],
    ["weight", true, -20],
    ["weight", true, 0],
  ]);
  expect(follow(file(10, true), [3])).toEqual([["weight", true, -30]]);
});

test("at -2^31, and below, it is a failure, and its weight is gone; above 2^31 - 1 it is that", () => {
  expect(follow(file(1), [5, -(2 ** 31), -(2 ** 31) + 1, 2 ** 31])).toEqual([
    ["weight", true, 5],
    ["changed", false, 0],
    ["changed", true, -(2 ** 31) + 1],
    ["weight", true, 2 ** 31 - 1],
  ]);
  expect(follow(file(2 ** 31 - 1), [-2])).toEqual([["changed", false, 0]]);
  expect(follow(file(2 ** 31 - 1, true), [-2])).toEqual([["weight", true, 2 ** 31 - 1]]);
});

test("with weight 0 only 0 is success, with reverse only another number", () => {
  expect(follow(file(0), [0, 1, -1, 0])).toEqual([
    ["", true, 0],
    ["changed", false, 0],
    ["", false, 0],
    ["changed", true, 0],
  ]);
  expect(follow(file(0, true), [1, 0, 7])).toEqual([
    ["", true, 0],
    ["changed", false, 0],
    ["changed", true, 0],
  ]);
});

test("a session's state counts at once; the first one is told where it confirms a bad supposition", () => {
  const config = (alpha: boolean): FollowedConfig => ({ type: "BFD_CHECK", name: "chk", identity: "chk", alpha });
  const news = (alpha: boolean, states: readonly boolean[]) => {
    let state = startFollowed(config(alpha), "start");
    return states.map((up) => {
      const next = followBfd(state, up);
      state = next.state;
      return next.news;
    });
  };
  expect(news(false, [true, true, false, false, true])).toEqual([
    undefined,
    undefined,
    "changed",
    undefined,
    "changed",
  ]);
  expect(news(true, [false, false, true])).toEqual(["confirmed", undefined, "changed"]);
});

test("neither takes the other's news", () => {
  const state = startFollowed(file(1), "start");
  expect(followBfd(state, false)).toEqual({ state, news: undefined });
});
