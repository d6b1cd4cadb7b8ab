import { expect, test } from "vitest";
import { resolveUser } from "./users.ts";

test("users and groups of the machine", () => {
  expect(resolveUser("root")).toEqual({ uid: 0, gid: 0 });
  expect(resolveUser("nobody")).toEqual({ uid: 65_534, gid: 65_534 });
  expect(resolveUser("daemon", "root")).toEqual({ uid: 1, gid: 0 });
});

test("what is not a known name is unknown, never a number or a list", () => {
  for (const name of ["no-such-user-here", "", "0", "65534", "root:x", "root daemon", "-i", "../root"]) {
    expect(resolveUser(name), name).toBeUndefined();
    expect(resolveUser("root", name), name).toBeUndefined();
  }
});
