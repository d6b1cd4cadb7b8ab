// The rules of ARCHITECTURE.md, held by a test. Every rule is checked twice: against the repository, and against a
// planted violation, because a rule that finds nothing anywhere is no rule.
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import * as architecture from "./architecture.ts";
import * as code from "./code.ts";
import { longClosures, longFiles, longFunctions, withoutReadme } from "./ratchet.ts";
import { readRepository, repositoryOf } from "./repository.ts";
import * as texts from "./texts.ts";

const repository = readRepository(fileURLToPath(new URL("../..", import.meta.url)));

const manifest = (name: string, fields: object = {}): string =>
  JSON.stringify({ name, exports: { ".": "./dist/mod.js" }, ...fields });

/** Two libraries and two services that break no rule. */
const sound: Readonly<Record<string, string>> = {
  "package.json": JSON.stringify({ devDependencies: { vitest: "4.1.12" } }),
  "libs/domain/package.json": manifest("@baton/domain"),
  "libs/domain/README.md": "# domain\n",
  "libs/domain/src/mod.ts": 'export { one } from "./one.ts";\n',
  "libs/domain/src/one.ts": "export const one = 1;\n",
  "libs/vrrp/package.json": manifest("@baton/vrrp", { dependencies: { "@baton/domain": "*" } }),
  "libs/vrrp/README.md": "# vrrp\n\nSee [domain](../domain/README.md), [here](#vrrp), [far](https://example.org/x).\n",
  "libs/vrrp/src/mod.ts": 'import { one } from "@baton/domain";\nexport const two = one + 1;\n',
  "libs/vrrp/src/mod.unit.spec.ts": 'import { test } from "vitest";\ntest("x", () => setTimeout(() => {}, 1));\n',
  "services/election/package.json": manifest("@baton/election", { dependencies: { "@baton/vrrp": "*" } }),
  "services/election/README.md": "# election\n",
  "services/election/src/main.ts": 'import { two } from "@baton/vrrp";\nexport const name = [process.env["X"], two];\n',
  "services/notifier/package.json": manifest("@baton/notifier", { dependencies: { bullmq: "1" } }),
  "services/notifier/README.md": "# notifier\n",
  "services/notifier/src/main.ts": 'import { Queue } from "bullmq";\nexport const queue = Queue;\n',
};

interface Row {
  readonly name: string;
  readonly rule: architecture.Rule;
  /** Files put into the sound repository, each with a violation, and what the rule says of it. */
  readonly violations: readonly (readonly [path: string, text: string, says: RegExp])[];
  /** Looks like a violation and is none. */
  readonly allowed?: Readonly<Record<string, string>>;
}

const lines = (count: number): string => "\n//".repeat(count);

const rows: readonly Row[] = [
  {
    name: "pure libraries import nothing but @baton/domain",
    rule: architecture.pureLibrariesImportOnlyDomain,
    violations: [
      ["libs/vrrp/src/a.ts", 'import { readFileSync } from "node:fs";', /a\.ts:1: imports node:fs/],
      ["libs/health/src/a.ts", '\nimport type { X } from "@baton/linux";', /a\.ts:2: imports @baton\/linux/],
      ["libs/domain/src/a.ts", 'export * from "@baton/domain";', /imports @baton\/domain/],
      ["libs/ipvs/src/a.ts", 'export const x = () => import("yaml");', /imports yaml/],
      ["libs/ipvs/package.json", manifest("@baton/ipvs", { dependencies: { yaml: "1" } }), /depends on yaml/],
      ["libs/ipvs/src/b.ts", 'import { parseConfig } from "@baton/keepalived-conf";', /types only/],
      [
        "libs/vrrp/src/c.ts",
        'import type { Config } from "@baton/keepalived-conf";',
        /imports @baton\/keepalived-conf/,
      ],
    ],
    allowed: {
      "libs/vrrp/src/b.unit.spec.ts": 'import "node:fs";',
      "libs/ipvs/src/c.ts": 'import type { Config } from "@baton/keepalived-conf";',
    },
  },
  {
    name: "pure libraries use no clock, timer, random number, process or promise",
    rule: code.pureLibrariesKeepOutOfTheWorld,
    violations: [
      ["libs/vrrp/src/a.ts", "export const now = Date.now();", /a\.ts:1: uses Date/],
      ["libs/vrrp/src/b.ts", "export const f = () => setTimeout(f, 1);", /uses setTimeout/],
      ["libs/vrrp/src/c.ts", "export const r = Math.random();", /uses Math\.random/],
      ["libs/vrrp/src/d.ts", "export const e = process.env;", /uses process/],
      ["libs/vrrp/src/e.ts", "export type P = Promise<void>;", /uses Promise/],
      ["libs/vrrp/src/f.ts", "export async function f() {}", /asynchronous/],
      ["libs/vrrp/src/g.ts", 'console.log("x");', /uses console/],
    ],
    allowed: {
      "libs/vrrp/src/z.ts":
        "export const f = (process: { console: number }) => ({ Date: process.console });\nexport interface A { process: Math; }\n",
    },
  },
  {
    name: "services do not import services",
    rule: architecture.servicesDoNotImportServices,
    violations: [
      ["services/election/src/a.ts", 'import "@baton/notifier";', /imports @baton\/notifier/],
      ["libs/host/src/a.ts", 'import "@baton/notifier";', /imports @baton\/notifier/],
      ["services/cli/src/a.ts", 'import "@baton/notifier";', /imports @baton\/notifier/],
      [
        "services/fleet/package.json",
        manifest("@baton/fleet", { dependencies: { "@baton/notifier": "*" } }),
        /depends on the service/,
      ],
    ],
    allowed: {
      "services/cli/package.json": manifest("@baton/cli", { dependencies: { "@baton/notifier": "*" } }),
      "services/cli/src/b.ts": 'export const main = import.meta.resolve("@baton/notifier");',
      "libs/host/package.json": manifest("@baton/host"),
    },
  },
  {
    name: "packages with side effects have one home",
    rule: architecture.sideEffectPackagesHaveOneHome,
    violations: [
      ["services/election/src/a.ts", 'import koffi from "koffi";', /only libs\/linux/],
      ["services/election/src/b.ts", 'const x = require("raw-socket");', /only libs\/linux/],
      ["libs/host/src/c.ts", 'import { connect } from "nats";', /only libs\/event-log/],
      ["services/control/src/d.ts", 'import { Queue } from "bullmq";', /only services\/notifier/],
      ["libs/x/package.json", manifest("@baton/x", { dependencies: { nodemailer: "1" } }), /depends on nodemailer/],
    ],
  },
  {
    name: "a package has one door",
    rule: architecture.packagesHaveOneDoor,
    violations: [
      ["services/election/src/a.ts", 'import "@baton/vrrp/src/mod.ts";', /deep import/],
      ["services/election/src/b.ts", 'import "../../../libs/vrrp/src/mod.ts";', /leaves its package/],
    ],
    allowed: {
      "libs/linux/package.json": manifest("@baton/linux", { exports: { ".": "", "./testing": "" } }),
      "services/election/src/c.ts": 'import "@baton/linux/testing";',
    },
  },
  {
    name: "relative imports name an existing file with its extension",
    rule: architecture.relativeImportsNameTheFile,
    violations: [
      ["libs/vrrp/src/a.ts", 'import "./mod";', /extension/],
      ["libs/vrrp/src/b.ts", 'import "./nowhere.ts";', /no such file/],
    ],
    allowed: { "libs/contracts/src/c.ts": 'import "./generated/x.ts";' },
  },
  {
    name: "what is imported is declared",
    rule: architecture.importsAreDeclared,
    violations: [
      ["services/election/src/a.ts", 'import "yaml";', /not among the dependencies of services\/election/],
      ["services/election/src/b.ts", 'import "vitest";', /not among/],
    ],
    allowed: { "services/election/src/c.int.spec.ts": 'import "vitest";\nimport "node:fs";' },
  },
  {
    name: "no package depends on itself in a circle",
    rule: architecture.noPackageCycles,
    violations: [
      [
        "libs/domain/package.json",
        manifest("@baton/domain", { dependencies: { "@baton/vrrp": "*" } }),
        /@baton\/domain → @baton\/vrrp → @baton\/domain/,
      ],
    ],
  },
  {
    name: "no file imports itself in a circle",
    rule: architecture.noFileCycles,
    violations: [["libs/domain/src/one.ts", 'import "./mod.ts";\nexport const one = 1;', /mod\.ts → .*one\.ts → /]],
    allowed: { "libs/vrrp/src/types.ts": 'import type { two } from "./types.ts";\nexport type T = typeof two;' },
  },
  {
    name: "files are at most 500 lines",
    rule: code.filesAreShort({}),
    violations: [["libs/vrrp/src/a.ts", `//${lines(500)}`, /501 lines/]],
    allowed: { "libs/vrrp/src/b.ts": `//${lines(499)}` },
  },
  {
    name: "functions are at most 70 lines",
    rule: code.functionsAreShort({}),
    violations: [
      ["libs/vrrp/src/a.ts", `export function long() {${lines(70)}\n}`, /a\.ts long: 72 lines/],
      ["libs/vrrp/src/b.ts", `export const arrow = () => {${lines(70)}\n};`, /b\.ts arrow: 72/],
      ["libs/vrrp/src/c.ts", `export class C { run(): void {${lines(70)}\n} }`, /c\.ts run: 72/],
    ],
    allowed: {
      "libs/vrrp/src/d.unit.spec.ts": `const d = () => {${lines(70)}\n};`,
      "libs/vrrp/src/e.ts": `export function outer() {${lines(40)}\nfunction inner() {${lines(40)}\n}\n}`,
    },
  },
  {
    name: "functions are at most 200 lines with all that is in them",
    rule: code.closuresAreShort({}),
    violations: [
      ["libs/vrrp/src/a.ts", `export function f() {\nconst g = () => {${lines(200)}\n};\n}`, /a\.ts f: 204/],
    ],
  },
  {
    name: "no any, no non-null assertion",
    rule: code.typesAreHonest,
    violations: [
      ["libs/vrrp/src/a.ts", "export const f = (x: any) => x;", /any/],
      ["libs/vrrp/src/b.ts", "export const f = (x?: string) => x!.length;", /non-null/],
    ],
  },
  {
    name: "no tool is silenced",
    rule: code.noSilencedTools,
    violations: [
      ["libs/vrrp/src/a.ts", "// @ts-expect-error\nexport const x = 1;", /a\.ts:1/],
      ["libs/vrrp/src/b.ts", "\n/* biome-ignore lint: x */\n", /b\.ts:2/],
    ],
    allowed: { "libs/vrrp/src/c.ts": 'export const text = "// @ts-ignore";' },
  },
  {
    name: "no loose ends",
    rule: code.noLooseEnds,
    violations: [["libs/vrrp/src/a.ts", "export const x = 1; // TODO: more", /a\.ts:1/]],
    allowed: { "libs/vrrp/src/b.ts": 'export const todo = "TODO";' },
  },
  {
    name: "no mutable module state",
    rule: code.noMutableModuleState,
    violations: [
      ["libs/vrrp/src/a.ts", "let count = 0;\nexport const next = () => count++;", /a\.ts:1/],
      ["libs/vrrp/src/b.ts", "export let count = 0;", /b\.ts:1/],
    ],
    allowed: { "libs/vrrp/src/c.ts": "export function f() {\n  let x = 0;\n  return x++;\n}" },
  },
  {
    name: "types are named after what they are",
    rule: code.namesSayWhatTheyAre,
    violations: [
      ["libs/vrrp/src/a.ts", "export class TimerManager {}", /TimerManager/],
      ["libs/vrrp/src/b.ts", "export interface StringUtils {}", /StringUtils/],
      ["libs/vrrp/src/c.ts", "export type SocketBase = 1;", /SocketBase/],
    ],
    allowed: { "libs/vrrp/src/d.ts": "export type Utilization = 1;\nexport interface BasePriority {}" },
  },
  {
    name: "doors name what they export",
    rule: code.doorsNameWhatTheyExport,
    violations: [["libs/vrrp/src/mod.ts", 'export * from "./a.ts";', /mod\.ts:1/]],
  },
  {
    name: "only main.ts and libs/host read the environment",
    rule: code.environmentIsReadInMain,
    violations: [["services/election/src/a.ts", 'export const x = process.env["HOME"];', /a\.ts:1/]],
    allowed: { "libs/host/src/a.ts": "export const x = process.env;" },
  },
  {
    name: "a test's file name says what it costs",
    rule: texts.testsSayWhatTheyCost,
    violations: [
      ["libs/vrrp/src/a.spec.ts", "", /a\.spec\.ts/],
      ["libs/vrrp/src/a.test.ts", "", /a\.test\.ts/],
    ],
    allowed: { "libs/vrrp/src/a.table.unit.spec.ts": "" },
  },
  {
    name: "file names are kebab-case",
    rule: texts.filesHaveKebabNames,
    violations: [["libs/vrrp/src/advertSocket.ts", "", /advertSocket/]],
  },
  {
    name: "files are named after their subject",
    rule: texts.filesAreNamedAfterTheirSubject,
    violations: [["libs/vrrp/src/string-utils.ts", "", /string-utils/]],
  },
  {
    name: "no path of one machine",
    rule: texts.noMachinePaths,
    // Spelt in two parts, or this file would break the rule itself.
    violations: [
      ["libs/vrrp/src/a.ts", `export const x = "/${"work"}/main";`, /a\.ts:1/],
      ["libs/vrrp/README.md", `\nsee /${"tmp"}/x`, /README\.md:2/],
    ],
    allowed: {
      "libs/vrrp/src/b.ts": 'export const x = "libs/work/main";',
      "libs/vrrp/src/c.unit.spec.ts": 'export const x = "/home/x";',
    },
  },
  {
    name: "only tests read material outside of the repository",
    rule: texts.onlyTestsReadSharedMaterial,
    violations: [["libs/vrrp/src/a.ts", `export const x = "..${"/shared/"}DESIGN.md";`, /a\.ts:1/]],
    allowed: { "libs/vrrp/src/b.int.spec.ts": `export const x = "..${"/shared/"}DESIGN.md";` },
  },
  {
    name: "every package has a README of at most 40 lines",
    rule: texts.packagesExplainThemselves([]),
    violations: [
      ["libs/ipvs/package.json", manifest("@baton/ipvs"), /libs\/ipvs: has no README/],
      ["libs/vrrp/README.md", `# vrrp${lines(40)}`, /41 lines/],
    ],
  },
  {
    name: "packages are named @baton/…",
    rule: texts.packagesAreNamed,
    violations: [["libs/ipvs/package.json", manifest("ipvs"), /name ipvs/]],
  },
  {
    name: "the model states every property that the simulator checks, and no other",
    rule: texts.everyPropertyIsInTheModel,
    violations: [
      ["docs/model.md", "| `made-up` | nothing |", /made-up is checked nowhere/],
      ["libs/simulator/src/checkers.ts", 'export const properties = ["left-out"];', /does not state left-out/],
      [
        "libs/simulator/src/checkers.ts",
        'export const properties = ["idle"];',
        /idle is declared, and checked nowhere/,
      ],
    ],
  },
  {
    name: "links in markdown lead somewhere",
    rule: texts.linksResolve,
    violations: [
      ["README.md", "# x\n\n[gone](libs/gone.md)", /README\.md:3: libs\/gone\.md/],
      ["libs/vrrp/README.md", "[up](../../nothing/README.md#part)", /leads nowhere/],
    ],
    allowed: {
      "docs/a.md": "[door](../libs/vrrp/src/mod.ts#x) [folder](../libs/vrrp/)\n```\n[no](link.md)\n```\n`[n](x.md)`",
    },
  },
];

/** The limits with the present exceptions; the planted repository has none. */
const held = new Map([
  ["files are at most 500 lines", code.filesAreShort(longFiles)],
  ["functions are at most 70 lines", code.functionsAreShort(longFunctions)],
  ["functions are at most 200 lines with all that is in them", code.closuresAreShort(longClosures)],
  ["every package has a README of at most 40 lines", texts.packagesExplainThemselves(withoutReadme)],
]);

describe("the repository", () => {
  test("is there", () => {
    expect(repository.packages.length).toBeGreaterThan(15);
    expect(repository.sources.length).toBeGreaterThan(30);
  });
  test.each(rows)("$name", ({ name, rule }) => {
    expect((held.get(name) ?? rule)(repository)).toEqual([]);
  });
});

describe("a planted violation is found", () => {
  for (const { name, rule, violations, allowed = {} } of rows) {
    test(`${name}: nothing in a sound repository`, () => {
      expect(rule(repositoryOf(new Map(Object.entries({ ...sound, ...allowed }))))).toEqual([]);
    });
    test.each(violations)(`${name}: %s`, (path, text, says) => {
      const found = rule(repositoryOf(new Map(Object.entries({ ...sound, [path]: text }))));
      expect(found.join("\n")).toMatch(says);
    });
  }
});

describe("the ratchet", () => {
  const repositoryWith = (count: number) => repositoryOf(new Map([["libs/vrrp/src/a.ts", `//${lines(count - 1)}`]]));
  const rule = code.filesAreShort({ "libs/vrrp/src/a.ts": 600 });
  test("allows what it lists", () => expect(rule(repositoryWith(600))).toEqual([]));
  test("does not let it grow", () => expect(rule(repositoryWith(601))).toEqual([expect.stringMatching(/601 lines/)]));
  test("wants an entry gone that is not needed", () =>
    expect(rule(repositoryWith(400))).toEqual([expect.stringMatching(/remove it/)]));
});
