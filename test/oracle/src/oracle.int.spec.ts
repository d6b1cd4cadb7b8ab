// Needs root, keepalived and network namespaces.
import { fileAround, holes } from "@baton/keepalived-conf/testing";
import { beforeAll, describe, expect, test } from "vitest";
import { type Configuration, type Judged, judgeAll } from "./trial.ts";

const keepalived = process.env.KEEPALIVED ?? "/usr/sbin/keepalived";

describe("the file around the line in question", () => {
  let judged: Judged<Configuration>[] = [];

  beforeAll(async () => {
    judged = await judgeAll(
      keepalived,
      holes.map((hole) => ({ name: hole, text: fileAround(hole, []) })),
    );
  });

  test("is right for keepalived and for us, whichever block has the hole", () => {
    // Newer than Debian's keepalived.
    const known = judged.filter(({ configuration }) => configuration.name !== "vrrp_instance.auth_hmac");
    expect(known.filter(({ verdict }) => verdict.exit !== 0)).toEqual([]);
    expect(known.map(({ difference }) => difference)).toEqual(known.map(() => undefined));
  });
});

describe("the judge", () => {
  test("tells the exit code and the lines, and the comparison finds what differs", async () => {
    const [right, unknown, missing, both] = await judgeAll(keepalived, [
      { name: "right", text: fileAround("vrrp_instance", ["priority 200"]) },
      { name: "unknown", text: "vrrp_instanc X {\n}\n" },
      { name: "missing", text: "vrrp_instance X {\n interface\n}\n" },
      { name: "both", text: fileAround("vrrp_instance", ["priority 256", "nosuch"]) },
    ]);
    expect(right?.verdict).toEqual({ exit: 0, places: [], unplaced: [], messages: [] });
    expect(unknown?.verdict.exit).toBe(5);
    expect(unknown?.verdict.places.map((place) => place.replace(/.*:/, ""))).toEqual(["1", "2"]);
    expect(missing?.verdict.exit).toBe(2);
    expect(both?.verdict.places).toHaveLength(2);
    for (const each of [right, unknown, missing, both]) expect(each?.difference).toBeUndefined();
  });
});
