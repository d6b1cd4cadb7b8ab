import { afterEach, beforeEach, expect, test } from "vitest";
import { runNft } from "./nft.ts";
import { rulesVersion } from "./rules-version.ts";
import { makeNamespace, type Namespace } from "./testing/namespace.ts";

let namespace: Namespace;
beforeEach(() => {
  namespace = makeNamespace("gen");
});
afterEach(() => namespace.remove());

test("it is the same until somebody commits, then one more", () => {
  namespace.inside(() => {
    const before = rulesVersion();
    expect(rulesVersion()).toBe(before);
    runNft("add table ip a\nadd chain ip a c\n", "two commands, one transaction");
    expect(rulesVersion()).toBe(before + 1);
    runNft("delete table ip a\n", "another one");
    expect(rulesVersion()).toBe(before + 2);
    expect(() => runNft("delete table ip a\n", "refused")).toThrow();
    expect(rulesVersion()).toBe(before + 2);
  });
});
