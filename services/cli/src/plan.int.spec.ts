// `baton plan` and a reload against a whole node: the plan says what the reload then does.
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";

const baton = fileURLToPath(new URL("../../../node_modules/.bin/baton", import.meta.url));
const namespace = `btcli${process.pid}`;
const held: { directory: string; up: ChildProcess | undefined; said: string } = {
  directory: "",
  up: undefined,
  said: "",
};
const inDirectory = (name: string): string => join(held.directory, name);
const runDir = (): string => inDirectory("run");

interface Parts {
  readonly priority?: number;
  readonly password?: string;
  readonly address?: string;
  readonly interval?: string;
  readonly more?: string;
}

// eth7 is there for the node alone, and so is its @ID: whoever reads the file elsewhere reads something else.
const configuration = ({
  priority = 100,
  password = "one",
  address = "192.0.2.10/24",
  interval = "@plan1 advert_int 2",
  more = "",
}: Parts = {}): string => `
vrrp_instance VI_1 {
  interface eth7
  virtual_router_id 51
  priority ${priority}
  ${interval}
  version 2
  authentication {
    auth_type PASS
    auth_pass ${password}
  }
  virtual_ipaddress {
    ${address}
  }
}
${more}`;

const ip = (...words: string[]): void => void execFileSync("ip", words);

function run(...words: string[]) {
  const { stdout, stderr, status } = spawnSync(baton, words, { cwd: held.directory, encoding: "utf8" });
  return { code: status, out: stdout, error: stderr };
}
const plan = (text: string, ...words: string[]) => {
  writeFileSync(inDirectory("next.conf"), text);
  return run("plan", "next.conf", "--run-dir", runDir(), ...words);
};

async function until(what: string, condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`in vain: ${what}\n${held.said}`);
    await delay(50);
  }
}

interface ConfigEvent {
  readonly data: {
    readonly generation?: number;
    readonly changes?: readonly string[];
    readonly errors?: readonly string[];
  };
}
function events(type: string): ConfigEvent[] {
  const { out } = run("events", "--run-dir", runDir(), "--type", type, "--json");
  return out
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as ConfigEvent);
}
const generation = (): unknown =>
  (JSON.parse(run("status", "--run-dir", runDir(), "--json").out) as { config: { generation: unknown } }).config
    .generation;

beforeAll(async () => {
  held.directory = mkdtempSync(join(tmpdir(), "baton-plan-"));
  ip("netns", "add", namespace);
  ip("-n", namespace, "link", "set", "lo", "up");
  ip("-n", namespace, "link", "add", "eth7", "type", "veth", "peer", "name", "eth6");
  ip("-n", namespace, "link", "set", "eth6", "up");
  ip("-n", namespace, "address", "add", "192.0.2.1/24", "dev", "eth7");
  ip("-n", namespace, "link", "set", "eth7", "up");
  writeFileSync(inDirectory("k.conf"), configuration());
  const places = ["--run-dir", runDir(), "--state-dir", inDirectory("state"), "--ready-file", inDirectory("ready")];
  const words = [baton, "up", "--config", inDirectory("k.conf"), "--id", "plan1", ...places];
  const up = spawn("ip", ["netns", "exec", namespace, ...words], { stdio: ["ignore", "ignore", "pipe"] });
  up.stderr.setEncoding("utf8").on("data", (text: string) => {
    held.said += text;
  });
  held.up = up;
  await until("the node is ready", () => existsSync(inDirectory("ready")));
});

afterAll(async () => {
  const { up } = held;
  if (up !== undefined && up.exitCode === null) {
    const ended = new Promise((resolve) => up.once("exit", resolve));
    up.kill("SIGTERM");
    await ended;
  }
  spawnSync("ip", ["netns", "delete", namespace]);
  rmSync(held.directory, { recursive: true, force: true });
});

test("the same configuration in other words changes nothing", () => {
  const { code, out, error } = plan(`# moved\n${configuration({ interval: "advert_int 2\n  @other advert_int 3" })}`);
  expect([code, error]).toEqual([0, ""]);
  expect(out).toBe(`next.conf: a reload would change nothing of configuration 1 from ${inDirectory("k.conf")}.\n`);
});

test("what would change is told in full, secrets apart, and nothing is changed", () => {
  const next = configuration({
    priority: 90,
    password: "sesame",
    address: "192.0.2.11/24",
    more: configuration({ address: "192.0.2.12" }).replace("VI_1", "VI_2").replace("51", "52"),
  });
  const { code, out } = plan(next);
  expect(code).toBe(2);
  expect(out).toBe(
    [
      "~ instance VI_1 (VRID 51 on eth7, IPv4)",
      "    priority 100 → 90",
      "    authentication changed",
      "    - address 192.0.2.10/24",
      "    + address 192.0.2.11/24",
      "+ instance VI_2 (VRID 52 on eth7, IPv4)",
      "",
      `next.conf: a reload would change configuration 1 from ${inDirectory("k.conf")}: 1 added, 1 changed in place. Nothing was changed.`,
      "",
    ].join("\n"),
  );
  const asJson = plan(next, "--json");
  expect(asJson.code).toBe(2);
  expect(asJson.out).not.toContain("sesame");
  expect(JSON.parse(asJson.out)).toMatchObject({
    file: "next.conf",
    usable: true,
    generation: 1,
    runningFile: inDirectory("k.conf"),
    changes: [
      {
        kind: "instance",
        name: "VI_1",
        action: "changed",
        why: null,
        fields: [{ path: "priority" }, { secret: false }],
      },
      { kind: "instance", name: "VI_2", action: "added" },
    ],
  });
  expect(generation()).toBe(1);
});

test("one that cannot be used is told with its lines; the running one stays", () => {
  const { code, out, error } = plan(configuration().replace("eth7", "eth8"));
  expect([code, error]).toEqual([1, ""]);
  expect(out).toMatch(/^\S*next\.conf:3:\d+: error: .*eth8.*\n/);
  expect(out).toMatch(/next\.conf: a reload would refuse it; configuration 1 from .* stays\n$/);
  expect(plan("").out).toMatch(/configures nothing.*stop the node.*\n/s);
  expect(run("plan", "none.conf", "--run-dir", runDir())).toMatchObject({
    code: 1,
    out: expect.stringMatching(/none\.conf/),
  });
});

test("without a node it is one sentence", () => {
  expect(run("plan", "k.conf", "--run-dir", inDirectory("nowhere"))).toEqual({
    code: 1,
    out: "",
    error: `baton: no node runs on ${inDirectory("nowhere")} (there is no ${inDirectory("nowhere/node.sock")})\n`,
  });
});

test("a reload does what was planned; an emptied file is refused", async () => {
  const next = configuration({ priority: 80 });
  expect(plan(next).code).toBe(2);
  writeFileSync(inDirectory("k.conf"), next);
  held.up?.kill("SIGHUP");
  await until("generation 2", () => generation() === 2);
  expect(events("config-applied").at(-1)?.data.changes).toEqual(["instance VI_1: priority 100 → 80"]);
  expect(plan(next).code).toBe(0);

  writeFileSync(inDirectory("k.conf"), "# gone\n");
  held.up?.kill("SIGHUP");
  await until("the rejection", () => events("config-rejected").length === 1);
  expect(events("config-rejected")[0]?.data.errors?.join()).toMatch(/configures nothing/);
  expect(generation()).toBe(2);
  expect(run("status", "--run-dir", runDir()).out).toMatch(/VI_1/);
});
