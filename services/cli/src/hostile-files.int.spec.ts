// `baton check`, by the built command, on what is no configuration or would take a parser down: it says in one run what
// is wrong and where, ends with keepalived's exit code, shows no stack trace, and comes to an end.
import { type SpawnSyncReturns, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { CheckReport } from "./commands/check.ts";

const baton = fileURLToPath(new URL("../../../node_modules/.bin/baton", import.meta.url));
const held = { directory: "" };
const inDirectory = (name: string): string => join(held.directory, name);
beforeEach(() => {
  held.directory = mkdtempSync(join(tmpdir(), "baton-hostile-"));
});
afterEach(() => rmSync(held.directory, { recursive: true, force: true }));

const write = (name: string, content: string | Buffer): void => writeFileSync(inDirectory(name), content);

/** Until somebody says that it hangs: many times what it takes, for the machine may be busy. */
const deadlineMs = 100_000;
const patience = deadlineMs + 20_000;

const run = (program: string, words: readonly string[]): SpawnSyncReturns<string> =>
  spawnSync(program, words, {
    cwd: held.directory,
    encoding: "utf8",
    timeout: deadlineMs,
    killSignal: "SIGKILL",
    maxBuffer: 1 << 26,
  });

/** What it says of files, checked in one run. */
function check(files: readonly string[], via: readonly string[] = []): CheckReport[] {
  const [program = "", ...words] = [...via, baton, "check", "--json", "--no-lint", ...files];
  const { stdout, stderr, status } = run(program, words);
  expect(stderr).toBe("");
  const reports = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as CheckReport);
  expect(reports.map(({ file }) => file)).toEqual(files);
  expect(status).toBe(Math.max(...reports.map(({ exitCode }) => exitCode)));
  return reports;
}

/** Exit code, and place, code and message of what is wrong with a configuration. */
function verdict({ exitCode, diagnostics }: CheckReport) {
  const told = diagnostics.filter(({ severity, code }) => severity !== "info" && code !== "nothing-configured");
  return [exitCode, ...told.map(({ file, line, code, message }) => `${file}:${line} ${code}: ${message}`)];
}

const repeat = (count: number, text: (i: number) => string): string =>
  Array.from({ length: count }, (_, i) => text(i)).join("");

describe("what is no file", () => {
  test("is not read, and nobody waits for it", { timeout: patience }, async () => {
    mkdirSync(inDirectory("directory"));
    symlinkSync("loop-b", inDirectory("loop-a"));
    symlinkSync("loop-a", inDirectory("loop-b"));
    run("mkfifo", ["fifo"]);
    const server = createServer().listen(inDirectory("socket"));
    await once(server, "listening");
    const files = ["missing", "directory", "fifo", "socket", "loop-a", "missing/below", "/dev/zero", "/dev/null"];
    const because = ["no such file or directory", "it is a directory", "it is not a regular file"];
    expect(check(files).map(verdict)).toEqual([
      [6, "missing:0 file-not-found: missing does not exist"],
      [6, `directory:0 file-not-found: directory is not read: ${because[1]}`],
      [6, `fifo:0 file-not-found: fifo is not read: ${because[2]}`],
      [6, "socket:0 file-not-found: socket is not read: no such device or address"],
      [6, "loop-a:0 file-not-found: loop-a is not read: too many symbolic links encountered"],
      [6, "missing/below:0 file-not-found: missing/below does not exist"],
      [6, `/dev/zero:0 file-not-found: /dev/zero is not read: ${because[2]}`],
      [6, `/dev/null:0 file-not-found: /dev/null is not read: ${because[2]}`],
    ]);
    write("including.conf", files.map((file) => `include ${file}\n`).join(""));
    const [including] = check(["including.conf"]).map(verdict);
    expect(including).toHaveLength(files.length + 1);
    expect(including?.[0]).toBe(0);
    expect(including?.[3]).toMatch(/^including\.conf:3 .*fifo.*not a regular file/);
    server.close();
  });

  test("nor is one that may not be read", { timeout: patience }, () => {
    write("secret.conf", "vrrp_instance a {\n}\n");
    chmodSync(inDirectory("secret.conf"), 0);
    const asOwner = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"];
    expect(check(["secret.conf"], asOwner).map(verdict)).toEqual([
      [6, "secret.conf:0 file-not-found: secret.conf is not read: permission denied"],
    ]);
  });
});

describe("files that are too large", () => {
  const tooLarge = "it is larger than 32 MiB";

  test("100 MiB of lines, 100 MiB in a line, 100 MiB of nothing", { timeout: patience }, () => {
    write("lines.conf", Buffer.alloc(100 << 20, "# nobody writes so much\n"));
    write("line.conf", Buffer.alloc(100 << 20, "x"));
    write("hole.conf", "");
    truncateSync(inDirectory("hole.conf"), 100 << 20);
    const files = ["lines.conf", "line.conf", "hole.conf"];
    expect(check(files).map(verdict)).toEqual(
      files.map((file) => [6, `${file}:0 file-not-found: ${file} is not read: ${tooLarge}`]),
    );
    write("including.conf", files.map((file) => `include ${file}\n`).join(""));
    const [including] = check(["including.conf"]).map(verdict);
    expect(including).toEqual([
      0,
      ...files.map((_, i) => expect.stringMatching(`^including.conf:${i + 1} .*${tooLarge}`) as string),
    ]);
  });

  test("one that grows while it is read", { timeout: patience }, async () => {
    write("grows.conf", "");
    const writer = spawn("sh", ["-c", "yes '# one more' | head -c 200M >> grows.conf"], { cwd: held.directory });
    const [[exitCode]] = check(["grows.conf"]).map(verdict) as [[number]];
    // Whichever was quicker.
    expect([0, 6]).toContain(exitCode);
    await once(writer, "exit");
    expect(check(["grows.conf"]).map(verdict)).toEqual([[6, expect.stringContaining(tooLarge)]]);
  });

  test("as large as may be: a line, binary junk, zeros, line ends, and text of another encoding", {
    timeout: patience,
  }, () => {
    const size = 2 << 20;
    write("line.conf", Buffer.alloc(size, "x "));
    write(
      "junk.conf",
      Buffer.from(Uint32Array.from({ length: size / 4 }, (_, i) => Math.imul(i + 1, 2_654_435_761)).buffer),
    );
    write("zeros.conf", Buffer.alloc(size));
    write("ends.conf", Buffer.alloc(size, "\n"));
    write("gbk.conf", Buffer.alloc(size, Buffer.from([0xc4, 0xe3, 0xba, 0xc3, 0x0a])));
    const reports = check(["line.conf", "junk.conf", "zeros.conf", "ends.conf", "gbk.conf"]);
    expect(reports.map(({ exitCode }) => exitCode)).toEqual([5, 5, 5, 0, 5]);
    const codes = reports.map((report) => [...new Set(report.diagnostics.map(({ code }) => code))]);
    expect(codes[0]).toContain("line-too-long");
    expect(codes[2]).toContain("nul-octet");
    expect(codes[3]).toEqual(["nothing-configured"]);
    expect(codes[4]).toContain("encoding");
  });
});

describe("a million", () => {
  const million = 1_000_000;

  test("blocks in each other, closed never or too often", { timeout: patience }, () => {
    write(
      "unknown.conf",
      repeat(million, () => "a {\n"),
    );
    write(
      "known.conf",
      repeat(million, () => "vrrp_instance a {\n"),
    );
    write("braces.conf", "{\n".repeat(million));
    write("closed.conf", "}\n".repeat(million));
    const reports = check(["unknown.conf", "known.conf", "braces.conf", "closed.conf"]);
    for (const report of reports) expect(report.exitCode).toBe(5);
    const open = reports
      .slice(0, 3)
      .map((report) => report.diagnostics.find(({ code }) => code === "missing-close-brace"));
    expect(open.map((found) => [found?.line, found?.message.match(/\d+/)?.[0]])).toEqual([
      [million, "999999"],
      [million, "999999"],
      [million, "999999"],
    ]);
    expect(verdict(reports[3] as CheckReport)[1]).toMatch(/^closed\.conf:1 unexpected-close-brace: /);
  });

  test("blocks one after another are more than a configuration can be", { timeout: patience }, () => {
    write(
      "instances.conf",
      repeat(million, (i) => `vrrp_instance V${i} {\n}\n`),
    );
    write(
      "lines.conf",
      repeat(million, (i) => `unknown ${i}\n`),
    );
    const [instances, lines] = check(["instances.conf", "lines.conf"]);
    expect(instances).toMatchObject({ exitCode: 5, usable: false });
    expect(instances?.diagnostics.filter(({ severity }) => severity === "error")).toMatchObject([
      {
        code: "too-much",
        file: "instances.conf",
        line: expect.any(Number) as number,
        message: expect.stringMatching(/blocks$/) as string,
      },
    ]);
    expect(lines).toMatchObject({ exitCode: 5, usable: true });
  });

  test("lines of one keyword, and 100,000 servers of a service, are just many", { timeout: patience }, () => {
    write("lines.conf", `vrrp_instance a {\n${"priority 100\n".repeat(million)}}\n`);
    const server = (i: number): string => `real_server 10.${i >> 16}.${(i >> 8) & 255}.${i & 255} 80 {\n}\n`;
    write(
      "servers.conf",
      `virtual_server 192.0.2.1 80 {\nprotocol TCP\nlb_algo rr\nlb_kind NAT\n${repeat(100_000, server)}}\n`,
    );
    const [lines, servers] = check(["lines.conf", "servers.conf"]);
    expect(lines?.diagnostics.map(({ code }) => code)).toContain("interface-required");
    expect(servers).toMatchObject({ exitCode: 0, usable: true });
  });
});

describe("what never ends", () => {
  test("includes of oneself: straight on, in a circle, all of a pattern, and down a link that leads back", {
    timeout: patience,
  }, () => {
    write("self.conf", "include self.conf\n");
    write("a.conf", "include b.conf\ninclude b.conf\n");
    write("b.conf", "include a.conf\ninclude a.conf\n");
    write("all.conf", "include *.conf\n".repeat(100));
    mkdirSync(inDirectory("d"));
    symlinkSync(".", inDirectory("d/d"));
    write("d/deep.conf", "include d/deep.conf\ninclude d/deep.conf\n");
    const [self, circle, all, deep] = check(["self.conf", "a.conf", "all.conf", "d/deep.conf"]);
    expect(verdict(self as CheckReport)).toEqual([5, expect.stringMatching(/^self\.conf:1 include-cycle: /)]);
    expect(verdict(circle as CheckReport).slice(0, 2)).toEqual([
      5,
      expect.stringMatching(/^b\.conf:1 include-cycle: /),
    ]);
    expect(all?.diagnostics.map(({ code }) => code)).toContain("include-cycle");
    expect(deep?.exitCode).toBe(5);
    expect(verdict(deep as CheckReport)[1]).toMatch(/d\/d\/deep\.conf:1 too-much: .* files$/);
  });

  test("sequences, and definitions that double", { timeout: patience }, () => {
    write("blocks.conf", "~SEQ(A, 1, 1000000000) vrrp_instance $A {}\n");
    write("nested.conf", "~SEQ(A, 1, 1000000) ~SEQ(B, 1, 1000000) $A $B\n");
    const double = (i: number): string => `$A${i + 1}=\${A${i}} \${A${i}}\n`;
    write("doubled.conf", `$A0=a\n${repeat(50, double)}x \${A50}\n`.repeat(10));
    write("self.conf", "$A=$A $A\n$A\n".repeat(1_000));
    const files = ["blocks.conf", "nested.conf", "doubled.conf", "self.conf"];
    const reports = check(files);
    expect(reports.map(({ exitCode, usable }) => [exitCode, usable])).toEqual(files.map(() => [5, false]));
    for (const { diagnostics, file } of reports.slice(0, 2))
      expect(diagnostics, file).toContainEqual(expect.objectContaining({ code: "too-much", line: 1 }));
  });
});
