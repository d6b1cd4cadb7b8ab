// The commands as a user gets them: the built `baton`, its output, its exit codes, and the files that it touches.
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

const baton = fileURLToPath(new URL("../../../node_modules/.bin/baton", import.meta.url));
const held = { directory: "" };
const inDirectory = (name: string): string => join(held.directory, name);
beforeEach(() => {
  held.directory = mkdtempSync(join(tmpdir(), "baton-commands-"));
});
afterEach(() => rmSync(held.directory, { recursive: true, force: true }));

function run(words: readonly string[], options: { input?: string | Buffer; env?: Record<string, string> } = {}) {
  const { stdout, stderr, status } = spawnSync(baton, words, {
    cwd: held.directory,
    input: options.input ?? "",
    env: { ...process.env, NO_COLOR: "", ...options.env },
  });
  return { code: status, out: stdout.toString("utf8"), error: stderr.toString("utf8"), octets: stdout };
}

const write = (name: string, text: string | Buffer): void => writeFileSync(inDirectory(name), text);
// Any machine will do: the interface need not be there.
const instance = (lines = "", id = 51): string =>
  `vrrp_instance VI_1 {\n  interface vrrp0\n  virtual_router_id ${id}\n  ${lines}\n  virtual_ipaddress {\n    192.0.2.1/24\n  }\n}\nglobal_defs {\n  dynamic_interfaces\n}\n`;

describe("check", () => {
  test("good, warned, wrong, not there", () => {
    write("good.conf", instance());
    write("warned.conf", instance("prioritee 5"));
    write("short.conf", instance("priority"));
    expect(run(["check", "good.conf"])).toMatchObject({
      code: 0,
      out: "good.conf: good (1 VRRP instance)\n",
      error: "",
    });
    expect(run(["check", "warned.conf"])).toMatchObject({ code: 5, out: expect.stringContaining("warned.conf:4:3:") });
    expect(run(["check", "short.conf"])).toMatchObject({ code: 2, out: expect.stringContaining("cannot be used") });
    expect(run(["check", "none.conf"])).toMatchObject({ code: 6, out: expect.stringContaining("cannot be used") });
  });

  test("colours only when they are wanted", () => {
    write("warned.conf", instance("prioritee 5"));
    const sgr = "\u001b[";
    expect(run(["check", "warned.conf"]).out).not.toContain(sgr);
    expect(run(["check", "warned.conf", "--color", "always"]).out).toContain(sgr);
    expect(run(["check", "warned.conf", "--color", "always"]).out).toMatch(/4 \|.*prioritee 5\n.*\^{9}/);
  });

  test("--id decides which lines count, the machine's name otherwise", () => {
    write("two.conf", instance("@a priority 5\n  @b bogus"));
    expect(run(["check", "two.conf", "--id", "a"]).code).toBe(0);
    expect(run(["check", "two.conf", "--id", "b"]).code).toBe(5);
    expect(run(["check", "two.conf"]).code).toBe(0);
  });

  test("peers, --strict and --no-lint", () => {
    write("a.conf", instance("priority 100"));
    write("b.conf", instance("priority 100"));
    const words = ["check", "a.conf", "--peer", "b.conf"];
    expect(run(words)).toMatchObject({ code: 0, out: expect.stringContaining("[lint/equal-priorities]") });
    expect(run([...words, "--strict"]).code).toBe(5);
    expect(run([...words, "--strict", "--no-lint"]).code).toBe(0);
    expect(run(["check", "a.conf", "b.conf", "--json"]).out.trim().split("\n")).toHaveLength(2);
  });

  test("what is no text is an error, never a stack trace", () => {
    write("junk.conf", Buffer.from(Array.from({ length: 4096 }, (_, i) => (i * 73) % 256)));
    for (const file of ["junk.conf", ".", "/dev/null", "/proc/self/mem"]) {
      const { code, out, error } = run(["check", file]);
      expect([2, 4, 5, 6, 0]).toContain(code);
      expect(error).toBe("");
      expect(out).not.toMatch(/\n\s+at /);
    }
  });

  test("--explain", () => {
    expect(run(["check", "--explain", "advert_int"])).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^advert_int SECS\n/),
    });
    expect(run(["check", "--explain", "virtual_server delay_loop"]).out).toMatch(/in +virtual_server\n/);
    expect(run(["check", "--explain", "lint/equal-priorities"])).toMatchObject({
      code: 0,
      out: expect.stringContaining("# baton: ignore"),
    });
    expect(run(["check", "--explain", "advert_in"])).toMatchObject({
      code: 1,
      out: "",
      error: expect.stringMatching(/^baton: .*"advert_in".*did you mean advert_int/),
    });
    const misses = [
      ["vrid", "virtual_router_id, lint/vrid-collision?"],
      ["vrrp_script.interva", "interval?"],
      ["equal-priority", "lint/equal-priorities?"],
      ["track", "track_script, "],
    ] as const;
    for (const [name, meant] of misses) {
      const { code, error } = run(["check", "--explain", name]);
      expect([code, error], name).toEqual([1, expect.stringMatching(`did you mean .*${meant.replace("?", "\\?")}`)]);
    }
    expect(run(["check", "--explain", "frobnicate"]).error).toMatch(/baton keywords lists all/);
    expect(run(["check", "--explain", "advert_int 1"]).out).toMatch(/^advert_int SECS\n/);
    expect(JSON.parse(run(["check", "--explain", "nopreempt", "--json"]).out)).toMatchObject({
      keywords: [{ block: "vrrp_instance", keyword: "nopreempt" }],
      rule: null,
    });
    expect(JSON.parse(run(["check", "--explain", "nopreempt-ignored", "--json"]).out)).toMatchObject({
      keywords: [],
      rule: { code: "lint/nopreempt-ignored", by: "parser" },
    });
  });
});

describe("keywords", () => {
  test("all of them, those of one block, those of one level", () => {
    const all = JSON.parse(run(["keywords", "--json"]).out) as { block: string; support: string }[];
    expect(all.length).toBeGreaterThanOrEqual(531);
    const works = JSON.parse(run(["keywords", "--json", "--support", "works"]).out) as typeof all;
    expect(works).toEqual(all.filter(({ support }) => support === "works"));
    expect(run(["keywords", "--block", "vrrp_script"]).out).toMatch(
      /^vrrp_script \(\d+ works.*\n(?: {2}\S.*\n)+\n\d+ in all: /,
    );
    expect(run(["keywords", "--block", "HTTP_GET"]).out).toMatch(/virtual_server\.real_server\.HTTP_GET/);
    expect(run(["keywords", "--block", "vrrp_scrip"])).toMatchObject({
      code: 1,
      error: expect.stringContaining("did you mean vrrp_script"),
    });
  });
});

describe("completion", () => {
  test("bash reads it, and it knows the language", () => {
    const script = run(["completion", "bash"]).out;
    expect(spawnSync("bash", ["-n"], { input: script }).status).toBe(0);
    expect(script).toMatch(/_baton_keywords='.* advert_int .* lint\/equal-priorities/);
    expect(run(["completion", "zsh"]).out).toMatch(/^#compdef baton\n/);
  });
});

describe("fmt", () => {
  const ugly = "vrrp_instance  A{\n# mine\npriority   5 }\n";

  test("prints, checks, writes; a second time changes nothing", () => {
    write("k.conf", ugly);
    const { code, out } = run(["fmt", "k.conf"]);
    expect([code, readFileSync(inDirectory("k.conf"), "utf8")]).toEqual([0, ugly]);
    expect(out).toContain("    # mine\n    priority 5\n");
    expect(run(["fmt", "-"], { input: ugly })).toMatchObject({ code: 0, out });
    expect(run(["fmt", "--check", "k.conf"])).toMatchObject({ code: 1, out: "k.conf would change\n" });
    expect(run(["fmt", "--write", "k.conf"])).toMatchObject({ code: 0, out: "k.conf written\n" });
    expect(readFileSync(inDirectory("k.conf"), "utf8")).toBe(out);
    expect(run(["fmt", "--check", "k.conf"])).toMatchObject({ code: 0, out: "" });
    expect(run(["fmt", "--write", "k.conf"])).toMatchObject({ code: 0, out: "" });
  });

  test("mode, owner and link stay, and nothing is left beside the file", () => {
    write("k.conf", ugly);
    chownSync(inDirectory("k.conf"), 65534, 65534);
    chmodSync(inDirectory("k.conf"), 0o640);
    symlinkSync("k.conf", inDirectory("link.conf"));
    expect(run(["fmt", "--write", "link.conf"]).code).toBe(0);
    const { mode, uid, gid } = statSync(inDirectory("k.conf"));
    expect([mode & 0o7777, uid, gid]).toEqual([0o640, 65534, 65534]);
    expect(lstatSync(inDirectory("link.conf")).isSymbolicLink()).toBe(true);
    expect(readFileSync(inDirectory("k.conf"), "utf8")).not.toBe(ugly);
    expect(readdirSync(held.directory).sort()).toEqual(["k.conf", "link.conf"]);
  });

  test("octets that are no UTF-8 survive", () => {
    const comment = Buffer.from([0x23, 0x20, 0xc4, 0xe3, 0xba, 0xc3]);
    write("gbk.conf", Buffer.concat([comment, Buffer.from("\nvrrp_instance A{\n}\n")]));
    expect(run(["fmt", "gbk.conf"]).octets.includes(comment)).toBe(true);
    run(["fmt", "--write", "gbk.conf"]);
    expect(readFileSync(inDirectory("gbk.conf")).includes(comment)).toBe(true);
  });

  test("what cannot be laid out, read or found is left as it is, and the others are done", () => {
    write("open.conf", "vrrp_instance A {\n");
    write("k.conf", ugly);
    const { code, out, error } = run(["fmt", "--write", "open.conf", "none.conf", ".", "k.conf"]);
    expect([code, out]).toEqual([2, "k.conf written\n"]);
    expect(error).toMatch(
      /^open\.conf:1:.*\n.*\nbaton: none\.conf: there is no such file\nbaton: \.: it is a directory\n$/,
    );
    expect(readFileSync(inDirectory("open.conf"), "utf8")).toBe("vrrp_instance A {\n");
    expect(existsSync(inDirectory("none.conf"))).toBe(false);
  });
});

test("a wrong word is one sentence", () => {
  expect(run(["chek"])).toEqual({
    code: 1,
    out: "",
    error: 'baton: there is no command "chek"; see baton --help\n',
    octets: Buffer.alloc(0),
  });
});
