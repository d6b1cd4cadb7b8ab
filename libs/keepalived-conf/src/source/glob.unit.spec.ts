import { describe, expect, test } from "vitest";
import { type Directories, glob } from "./glob.ts";
import { wildcardMatcher } from "./wildcard.ts";

const files = ["a.conf", "b.conf", "c.txt", ".hidden.conf", "d/e.conf", "d/f.conf", "x/e.conf", "[y", "a+b", "s t"];

/** Directories are what stands before a slash in `files`. */
const directories: Directories = {
  exists: (path) => files.some((file) => file === path || file.startsWith(`${path}/`)),
  list: (path) => {
    const prefix = path === "" ? "" : `${path}/`;
    const inside = files.filter((file) => file.startsWith(prefix)).map((file) => file.slice(prefix.length));
    return inside.length === 0 ? undefined : [...new Set(inside.map((file) => file.replace(/\/.*/, "")))].toReversed();
  },
};

describe("patterns", () => {
  test.each<[string, string[], boolean, boolean]>([
    ["a.conf", ["a.conf"], false, false],
    ["none", [], true, false],
    ["*.conf", ["a.conf", "b.conf"], false, true],
    ["?.conf", ["a.conf", "b.conf"], false, true],
    ["[!a].conf", ["b.conf"], false, true],
    ["[a-b].conf", ["a.conf", "b.conf"], false, true],
    ["[z-a].conf", [], false, true],
    [".*.conf", [".hidden.conf"], false, true],
    ["[y", ["[y"], false, false],
    ["\\[y", ["[y"], false, true],
    ["a+*", ["a+b"], false, true],
    ["s t", ["s t"], false, false],
    ["*/e.conf", ["d/e.conf", "x/e.conf"], true, true],
    ["[dx]/e.conf", ["d/e.conf", "x/e.conf"], false, true],
    ["[dx]/f.conf", ["d/f.conf"], true, true],
    ["d*", ["d"], false, true],
    ["d/", ["d"], false, false],
    ["none/*", [], true, true],
    ["d/none*", [], false, true],
    ["{b,a}.conf", ["b.conf", "a.conf"], false, false],
    ["{b,none}.conf", ["b.conf"], true, false],
    ["{a,{b,d/e}}.conf", ["a.conf", "b.conf", "d/e.conf"], false, false],
    ["{a,b", [], true, false],
    ["\\{a,b}.conf", [], false, true],
  ])("%s", (pattern, paths, missing, wildcards) => {
    expect(glob(pattern, directories)).toMatchObject({ paths, missing, wildcards });
  });

  test("braces and stars that stand for too much are refused, not tried", () => {
    expect(glob("{a,b}".repeat(200), directories)).toBeUndefined();
    expect(glob(`${"{".repeat(400)}a${",b}".repeat(400)}`, directories)?.paths).toEqual([]);
    const endless: Directories = { exists: () => true, list: () => Array.from({ length: 100 }, (_, i) => `${i}`) };
    expect(glob("*/*/*/*/*/*/*/*", endless)).toBeUndefined();
  });
});

describe("names", () => {
  test.each([
    ["*", "", true],
    ["a*b*c", "aXbYbZc", true],
    ["a*b*c", "aXbYbZ", false],
    ["*.*", "a", false],
    ["[]a]", "]", true],
    ["[^]a]", "b", true],
    ["[a-]", "-", true],
    ["[\\]]", "]", true],
    ["[[:digit:]x]", "7", true],
    ["[[:digit:]x]", "y", false],
    ["[[:nosuch:]]", "n", false],
    ["a\\", "a\\", true],
    ["?", ".", false],
    ["[.]a", ".a", false],
  ])("%s and %s", (pattern, name, fits) => expect(wildcardMatcher(pattern)(name)).toBe(fits));

  test("many stars take no longer than one", () => {
    expect(wildcardMatcher(`${"*a".repeat(200)}b`)("a".repeat(255))).toBe(false);
  });
});
