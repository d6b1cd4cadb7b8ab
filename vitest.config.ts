import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

// A test's file name says what it costs (`x.unit.spec.ts`, `x.int.spec.ts`, …): unit is pure and runs in
// parallel; int needs root and real parts (nats-server, Redis, network namespaces); story is the whole system, told by what
// comes of it, two at a time; e2e is the whole system, and runs alone, because it measures milliseconds. test/run.mjs runs
// the four one after another.
//
// What is measured against the wall clock may meet a machine that stands still for a second: such a test is tried again.
// A fault of Baton's comes back; the machine's does not.
const cost = (name: string, order: number, maxWorkers: number, seconds: number, retry = 0) => ({
  test: {
    name,
    include: [`{libs,services,deploy,test}/**/*.${name}.spec.ts`],
    exclude: ["**/node_modules/**", "**/dist/**"],
    pool: "forks" as const,
    setupFiles: [fileURLToPath(new URL("test/repeatable.mjs", import.meta.url))],
    testTimeout: seconds * 1000,
    hookTimeout: seconds * 1000,
    retry,
    sequence: { groupOrder: order },
    maxWorkers,
    // What is pure leaves nothing behind: the modules are loaded once for all files, which is half of their time.
    isolate: name !== "unit",
  },
});

export default defineConfig({
  test: {
    projects: [
      cost("unit", 0, availableParallelism(), 60),
      cost("int", 1, 2, 30, 1),
      cost("story", 2, 2, 120, 2),
      cost("e2e", 3, 1, 120, 2),
    ],
  },
});
