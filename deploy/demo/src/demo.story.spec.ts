// `npm start`, as its users start it: without a terminal, interrupted, and as one real node.
import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { createLab, waitFor } from "@baton/lab";
import { expect, test } from "vitest";

const main = fileURLToPath(new URL("../dist/main.js", import.meta.url));
const examples = new URL("../../examples/haproxy-active-backup/", import.meta.url);

const namespacesOf = (pid: number): string[] => readdirSync("/run/netns").filter((name) => name.startsWith(`bt${pid}`));

function start(words: readonly string[]) {
  const child = spawn(process.execPath, [main, ...words], { stdio: ["ignore", "pipe", "pipe"] });
  const said = { out: "", error: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    said.out += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said.error += text;
  });
  const exited = new Promise<number | null>((resolve) => child.once("close", (code) => resolve(code)));
  return { child, pid: child.pid ?? 0, said, exited };
}

interface Result {
  readonly ok: boolean;
  readonly moved: boolean;
  readonly cameBack: boolean;
  readonly failovers: readonly { readonly name: string; readonly away: object; readonly back: object }[];
}

test("--once --json: one object on standard output, the address moved and came back, nothing is left", async () => {
  const { pid, said, exited } = start(["--once", "--json"]);
  expect(await exited, said.error).toBe(0);
  expect(said.out.trim().split("\n")).toHaveLength(1);
  const result = JSON.parse(said.out) as Result;
  expect(result).toMatchObject({ ok: true, moved: true, cameBack: true });
  expect(result.failovers.map(({ name }) => name)).toEqual(["service-failure", "node-failure"]);
  for (const { away, back } of result.failovers) {
    for (const timeline of [away, back]) {
      for (const [name, value] of Object.entries(timeline)) expect(typeof value, name).toBe("number");
    }
  }
  expect(namespacesOf(pid)).toEqual([]);
});

test("interrupted while it builds and while it plays: it cleans up", async () => {
  for (const moment of [/starting the hub/, /HAProxy dies on r1/]) {
    const { child, pid, said, exited } = start([]);
    await waitFor(String(moment), () => moment.test(said.out), { deadlineMs: 60_000 });
    child.kill("SIGINT");
    expect(await exited).toBe(130);
    expect(said.error).toBe("");
    expect(namespacesOf(pid)).toEqual([]);
  }
});

test("--config: one real node where it is started, stopped by a signal", async () => {
  const lab = await createLab({ name: "one-node", routers: ["r1"] });
  try {
    const router = lab.router("r1");
    router.writeFile("/etc/keepalived/keepalived.conf", readFileSync(new URL("r1.conf", examples), "utf8"));
    const [runDir, stateDir, ready] = ["run", "state", "ready"].map((name) => `${router.directory}/${name}`);
    const directories = ["--run-dir", runDir ?? "", "--state-dir", stateDir ?? "", "--ready-file", ready ?? ""];
    const node = await router.spawn("start", [
      process.execPath,
      main,
      "--config",
      "/etc/keepalived/keepalived.conf",
      ...directories,
    ]);
    await waitFor("the node", () => existsSync(ready ?? ""), { deadlineMs: 30_000 });
    expect((await node.stop(20_000)).code).toBe(0);
    expect(node.log()).toMatch(/"message":"stopping"/);
  } finally {
    await lab.destroy();
  }
});

test("wrong words are one sentence", async () => {
  const { said, exited } = start(["--twice"]);
  expect(await exited).toBe(1);
  expect(said.error).toBe("baton: Unknown option '--twice'\n");
});
