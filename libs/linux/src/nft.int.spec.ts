// nft beside this thread: the thread goes on, one that hangs is given up, and whoever is killed has asked for all or nothing.
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { listNft, openNft } from "./nft.ts";
import { makeNamespace, type Namespace } from "./testing/namespace.ts";

const parts = {} as { namespace: Namespace; directory: string };
beforeAll(() => {
  parts.namespace = makeNamespace("nft");
});
afterAll(() => parts.namespace.remove());
beforeEach(() => {
  parts.directory = mkdtempSync(join(tmpdir(), "baton-nft-"));
});
afterEach(() => rmSync(parts.directory, { recursive: true, force: true }));

function stub(lines: string): string {
  const program = join(parts.directory, "nft");
  writeFileSync(program, `#!/bin/sh\n${lines}\n`, { mode: 0o755 });
  return program;
}

test("the kernel has what was run, there where it was run, and says so", async () => {
  const nft = openNft({ inside: parts.namespace.inside });
  await nft.run("add table ip bt\nadd chain ip bt one\n", "make a table");
  const found = parts.namespace.inside(() => listNft(["list", "table", "ip", "bt"], "look"));
  expect(await nft.list(["list", "table", "ip", "bt"], "look")).toEqual(found);
  expect(JSON.stringify(found)).toContain('"one"');
  expect(await openNft().list(["list", "table", "ip", "bt"], "look")).toBeUndefined();
  expect(await nft.list(["list", "table", "ip", "other"], "look")).toBeUndefined();
  await expect(nft.run("add rule ip bt one frobnicate\n", "make nonsense")).rejects.toMatchObject({ code: "EINVAL" });
});

test("an answer of many megabytes comes whole, as does a script", async () => {
  const answer = "head -c 8000000 /dev/zero | tr '\\000' 1";
  const program = stub(`if [ "$1" = -j ]; then ${answer}; else [ $(wc -c) = 8000000 ]; fi`);
  const nft = openNft({ program });
  await nft.run("#".repeat(8_000_000), "run");
  expect(String(await nft.list([], "look"))).toBe("Infinity");
});

test("one that hangs is given up when the patience is over, and timers go on meanwhile", async () => {
  const nft = openNft({ program: stub("exec sleep 30"), patienceMs: 300 });
  let turns = 0;
  const timer = setInterval(() => turns++, 10);
  await expect(nft.run("", "program")).rejects.toMatchObject({
    code: "ETIMEDOUT",
    message: "[ETIMEDOUT] program: nft took more than 0.3 s",
  });
  clearInterval(timer);
  expect(turns).toBeGreaterThan(10);
});

test("one that is not wanted any more is ended", async () => {
  const nft = openNft({ program: stub("exec sleep 30") });
  const running = nft.run("", "program");
  nft.cancel();
  await expect(running).rejects.toMatchObject({ code: "ECANCELED" });
  nft.cancel();
});

test("one that somebody kills, or that says nothing, is told of by its end", async () => {
  const killed = openNft({ program: stub("kill -9 $$") }).run("", "program");
  await expect(killed).rejects.toThrow("program: nft was ended by SIGKILL");
  await expect(openNft({ program: stub("exit 3") }).run("", "program")).rejects.toThrow("by itself, with status 3");
});

test.skipIf(!existsSync("/proc/sys/vm/memfd_noexec"))(
  "its script can never be run, which a kernel may insist on",
  async () => {
    await openNft({ program: stub("[ ! -x /proc/self/fd/0 ]") }).run("", "look");
  },
);

test("where there is none, that is said", async () => {
  const program = join(parts.directory, "none");
  await expect(openNft({ program }).run("", "program")).rejects.toMatchObject({ code: "ENOENT" });
});
