// In a process of its own: what is set here would be set for the test runner.
import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";

const door = (path: string): string => JSON.stringify(new URL(path, import.meta.url).href);

/** What the process looked like under each of the configurations, given as `processes.vrrp`. */
function run(role: string, ...vrrp: object[]) {
  const source = `
    import { readFileSync } from "node:fs";
    import { getPriority } from "node:os";
    import { keepProcessSettings } from ${door("../dist/mod.js")};
    import { allowedProcessors, processName } from ${door("../../linux/dist/mod.js")};
    const usual = { niceness: 0, noSwap: false };
    const snapshot = (vrrp) => ({ config: { global: { processes: { vrrp: { ...usual, ...vrrp } } } } });
    const [first, ...later] = ${JSON.stringify(vrrp)}.map(snapshot);
    const look = () => {
      const stat = readFileSync("/proc/self/stat", "utf8").split(") ").at(-1).split(" ");
      return { realtime: Number(stat[37]), niceness: getPriority(), processors: allowedProcessors(), name: processName() };
    };
    const warned = [];
    const handlers = [];
    const config = { current: async () => first, onChange: (handler) => handlers.push(handler) };
    const host = { config, log: { warn: (...words) => warned.push(words) } };
    const seen = [look()];
    await keepProcessSettings(host, { settings: ({ vrrp }) => vrrp, below: 0, ...${role} });
    seen.push(look());
    for (const next of later) {
      for (const handler of handlers) handler(next);
      seen.push(look());
    }
    console.log(JSON.stringify({ seen, warned }));`;
  const words = ["--input-type=module", "-e", source];
  return JSON.parse(execFileSync(process.execPath, words, { encoding: "utf8" })) as {
    seen: { realtime: number; niceness: number; processors: number[]; name: string }[];
    warned: [string, { refused: string[] }][];
  };
}

test("a process runs as configured, as the next configuration says, and at last as before", () => {
  const asked = { realtimePriority: 50, niceness: 5, cpus: [0], name: "keepalived_vrrp" };
  const { seen, warned } = run("{ realtimePriority: 40, below: 1 }", asked, { realtimePriority: 1 }, {});
  const [before] = seen;
  expect(seen.slice(1)).toEqual([
    { realtime: 49, niceness: 5, processors: [0], name: "keepalived_vrrp" },
    { ...before, realtime: 1 },
    { ...before, realtime: 40 },
  ]);
  expect(warned).toEqual([]);
});

test("what was never asked for stays as it is; real time only while it is asked for", () => {
  const { seen } = run("{ realtimePriority: undefined }", {}, { realtimePriority: 3 }, {});
  const [before] = seen;
  expect(seen.slice(1)).toEqual([before, { ...before, realtime: 3 }, before]);
});

test("what cannot be is told, and the rest is done", () => {
  const { seen, warned } = run("{ realtimePriority: undefined }", { cpus: [1_000], niceness: 3 });
  expect(seen[1]).toEqual({ ...seen[0], niceness: 3 });
  expect(warned).toEqual([[expect.any(String), { refused: ["processors"] }]]);
});
