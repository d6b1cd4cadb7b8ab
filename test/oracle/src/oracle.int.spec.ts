// Debian's keepalived against our parser. Needs root, keepalived and network namespaces; KEEPALIVED names another one. The
// same part of the many sample cases is tried in each run, and the same random files; BATON_SEED draws others, and `npm run
// oracle` tries all.
import { fileAround, holes, sampleCases } from "@baton/keepalived-conf/testing";
import { createRandom } from "@baton/simulator";
import { beforeAll, describe, expect, test } from "vitest";
import { exceptionsFor, reasonsFor } from "./exceptions.ts";
import { randomFiles } from "./random-file.ts";
import { regressions } from "./regressions.ts";
import { type Configuration, type Judged, judgeAll } from "./trial.ts";
import { isKnownTo, versionOf } from "./version.ts";

const keepalived = process.env.KEEPALIVED ?? "/usr/sbin/keepalived";
const version = versionOf(keepalived);
const seed = Number(process.env.BATON_SEED ?? 1);

/** A few seconds' worth; but the machine may have other things to do. */
const casesPerRun = 600;
const filesPerRun = 60;
const patience = 240_000;

const exceptions = exceptionsFor(version);

const unexplained = (judged: readonly Judged<Configuration>[]): string[] =>
  judged.flatMap(({ configuration: { name }, difference }) =>
    difference === undefined || reasonsFor(name, difference, exceptions).length > 0
      ? []
      : `${name}: ${difference.words}`,
  );

describe("the file around the line in question", () => {
  let judged: Judged<Configuration>[] = [];

  beforeAll(async () => {
    judged = await judgeAll(
      keepalived,
      holes.map((hole) => ({ name: hole, text: fileAround(hole, []) })),
    );
  });

  test("is right for keepalived and for us, whichever block has the hole", () => {
    const known = judged.filter(
      ({ configuration }) => configuration.name !== "vrrp_instance.auth_hmac" || isKnownTo(version, "2.4"),
    );
    expect(known.filter(({ verdict }) => verdict.exit !== 0)).toEqual([]);
    expect(unexplained(known)).toEqual([]);
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

describe("keepalived and we say the same", () => {
  test(
    "of every keyword, written rightly and wrongly",
    async () => {
      const all = sampleCases().filter(({ since }) => isKnownTo(version, since));
      const random = createRandom(seed);
      const drawn = all.filter(() => random.chance(casesPerRun / all.length));
      expect(unexplained(await judgeAll(keepalived, drawn))).toEqual([]);
    },
    patience,
  );

  test("of what they differed in once", async () => {
    expect(unexplained(await judgeAll(keepalived, regressions))).toEqual([]);
  });

  test(
    "of whole files",
    async () => {
      const first = (seed - 1) * filesPerRun;
      const seeds = Array.from({ length: filesPerRun }, (_, index) => first + index);
      expect(unexplained(await judgeAll(keepalived, seeds.map(randomFiles(version))))).toEqual([]);
    },
    patience,
  );
});
