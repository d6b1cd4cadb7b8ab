import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { release, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { findParts } from "./parts.ts";
import { type KernelVm, startKernelVm } from "./vm.ts";

const startMs = 120_000;

describe("a machine", () => {
  let vm: KernelVm;
  beforeAll(async () => {
    vm = await startKernelVm();
  }, startMs);
  afterAll(() => vm?.stop());

  test("runs commands with its own kernel and brings back what they said and how they ended", async () => {
    expect(await vm.run("uname -r; echo wrong >&2; exit 3")).toEqual({
      code: 3,
      stdout: `${vm.release}\n`,
      stderr: "wrong\n",
    });
    expect(vm.release).not.toBe(release());
  });

  test("passes words and settings as they are", async () => {
    const words = ["printf", "%s|", "it's", "$HOME", "a  b", "*", ""];
    expect((await vm.run(words)).stdout).toBe("it's|$HOME|a  b|*||");
    expect((await vm.run('echo "$GREETING"', { env: { GREETING: "a 'b' $c" } })).stdout).toBe("a 'b' $c\n");
  });

  test("runs a script of Node that reads this machine's files and leaves its own in the shared directory", async () => {
    const script = `
      const { readFileSync, writeFileSync } = require("node:fs");
      const read = readFileSync(process.argv[1], "utf8");
      writeFileSync(process.argv[2], JSON.stringify({ length: read.length, version: process.version }));`;
    const own = fileURLToPath(import.meta.url);
    const result = join(vm.directory, "result.json");
    await vm.must([process.execPath, "-e", script, own, result]);
    expect(JSON.parse(readFileSync(result, "utf8"))).toEqual({
      length: readFileSync(own, "utf8").length,
      version: process.version,
    });
  });

  test("never writes to this machine's files", async () => {
    const place = "/etc/baton-kernel-vm-was-here";
    expect((await vm.run(`echo x >${place} && cat ${place}`)).stdout).toBe("x\n");
    expect(existsSync(place)).toBe(false);
  });

  test("has what the kernel of this machine may lack", async () => {
    await vm.must("modprobe ip_vs && ipvsadm -Ln");
    await vm.must("ip link add d0 type dummy && ip link add v0 type vrf table 7 && ip link del d0 && ip link del v0");
    await vm.must("tc qdisc add dev lo root netem delay 1ms && tc qdisc del dev lo root");
    await vm.must("ip netns add n1 && ip -n n1 link add name a0 type veth peer name b0 && ip netns del n1");
  });

  test("runs several at once", async () => {
    await vm.must("mkfifo /run/meeting");
    const [writer, reader] = await Promise.all([vm.run("echo hello >/run/meeting"), vm.run("cat /run/meeting")]);
    expect([writer.code, reader.stdout]).toEqual([0, "hello\n"]);
  });

  test("ends what takes too long", async () => {
    expect((await vm.run("echo begun; sleep 1000", { timeoutSeconds: 1 })).code).toBe(124);
  });

  test("says which command failed, and what it said", async () => {
    await expect(vm.must(["sh", "-c", "echo no such luck >&2; exit 4"])).rejects.toThrow(
      /^sh -c .*: exit 4: no such luck$/,
    );
  });

  test("that is gone answers nobody, and leaves nothing", async () => {
    const answer = vm.run("echo o >/proc/sysrq-trigger; sleep 100");
    await expect(answer).rejects.toThrow(/^the machine is off/);
    await expect(vm.run("true")).rejects.toThrow(/^the machine is off/);
    await vm.stop();
    expect(existsSync(vm.directory)).toBe(false);
  });
});

test("a part that is missing: what, and what brings it", () => {
  expect(() => findParts("/nowhere")).toThrow(/\/nowhere\/release missing: sh deploy\/bootstrap --test$/);
});

test("a kernel that is none: what qemu said", async () => {
  const parts = findParts();
  await expect(startKernelVm({ parts: { ...parts, kernel: "/nowhere" } })).rejects.toThrow(
    /the machine is off.*nowhere/s,
  );
});

test("one that does not come up in time: what its kernel said last", async () => {
  await expect(startKernelVm({ startSeconds: 0.01 })).rejects.toThrow(/^it is not up after 0\.01 s/);
});

test("it ends with its owner, however that ends", async () => {
  const door = fileURLToPath(new URL("../dist/mod.js", import.meta.url));
  const script = `const { startKernelVm } = await import(${JSON.stringify(door)}); await startKernelVm();`;
  // What it leaves behind, as nobody who was killed can clear up, goes with the test.
  const TMPDIR = mkdtempSync(join(tmpdir(), "baton-vm-owner-"));
  const owner = spawn(process.execPath, ["--input-type=module", "-e", script], { env: { ...process.env, TMPDIR } });
  const machine = await vi.waitFor(() => machineOf(owner));
  owner.kill("SIGKILL");
  await vi.waitFor(() => expect(existsSync(`/proc/${machine}`)).toBe(false));
  rmSync(TMPDIR, { recursive: true, force: true });
});

/** The process of the machine that this one has started. */
function machineOf(owner: ChildProcess): string {
  const found = readdirSync("/proc").find((entry) => {
    if (!/^\d+$/.test(entry)) return false;
    try {
      const [, rest = ""] = readFileSync(`/proc/${entry}/stat`, "latin1").split(") ");
      const command = readFileSync(`/proc/${entry}/cmdline`, "latin1");
      return rest.split(" ")[1] === String(owner.pid) && command.includes("qemu-system-x86_64\0-nodefaults");
    } catch {
      return false; // it has just ended
    }
  });
  if (found === undefined) throw new Error("no machine yet");
  return found;
}
