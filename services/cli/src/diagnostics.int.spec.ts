// What `baton check` promises of every complaint, by the built command: where, what, what counts instead, what to do; all
// in one run; keepalived's exit codes; colours on terminals alone; and a clear word about whatever is no configuration.
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { CheckReport } from "./commands/check.ts";

const baton = fileURLToPath(new URL("../../../node_modules/.bin/baton", import.meta.url));
const held = { directory: "" };
beforeEach(() => {
  held.directory = mkdtempSync(join(tmpdir(), "baton-diagnostics-"));
});
afterEach(() => rmSync(held.directory, { recursive: true, force: true }));

const write = (name: string, text: string | Buffer): void => writeFileSync(join(held.directory, name), text);

function run(program: string, words: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const { stdout, stderr, status } = spawnSync(program, words, {
    cwd: held.directory,
    input: "",
    encoding: "utf8",
    env: { ...process.env, NO_COLOR: "", TERM: "xterm", ...env },
    maxBuffer: 1 << 26,
  });
  return { code: status, out: stdout, error: stderr };
}

const check = (...words: readonly string[]) => run(baton, ["check", ...words]);

/** Several files in one run: Node's start is most of the time. */
const reports = (...words: readonly string[]): CheckReport[] =>
  check("--json", ...words)
    .out.trim()
    .split("\n")
    .map((line) => JSON.parse(line) as CheckReport);

const instance = (lines = "", name = "vrrp0"): string =>
  `vrrp_instance VI_1 {\n  interface ${name}\n  virtual_router_id 51\n  ${lines}\n  virtual_ipaddress {\n    192.0.2.1/24\n  }\n}\n`;
const dynamic = "global_defs {\n  dynamic_interfaces\n}\n";
const good = dynamic + instance();

const withIncludes = (): void => {
  mkdirSync(join(held.directory, "parts"));
  write("main.conf", `${dynamic}include parts/*.conf\n${instance("prioritee 5")}`);
  write("parts/a.conf", "# the checks\nvrrp_script chk {\n  interval x2\n  weight 900\n  script /bin/none\n}\n");
  write(
    "parts/b.conf",
    "virtual_server 192.0.2.1 80 {\n  protocol TCP\n  real_server 192.0.2.9 80 {\n    TCP_CHECK {\n",
  );
  write("parts/c.conf", "      tcp_port 81\n    }\n  }\n}\ninclude d.inc\n");
  write("parts/d.inc", "static_ipaddress {\n  192.0.2.300/24 dev vrrp0\n}\n");
};

test("each says where it is, inside of included files too, and all come in one run", () => {
  withIncludes();
  const [report] = reports("main.conf");
  const told = report?.diagnostics.map(({ file, line, column, text, used, hint }) => ({
    at: `${file}:${line}:${column}`,
    text,
    used,
    hint,
  }));
  expect(told).toEqual(
    expect.arrayContaining([
      { at: "main.conf:8:3", text: "prioritee", used: null, hint: "did you mean priority?" },
      { at: "parts/a.conf:3:12", text: "x2", used: "interval 1", hint: expect.stringContaining("a number") },
      { at: "parts/a.conf:4:10", text: "900", used: "weight 253", hint: expect.stringContaining("-253 to 253") },
      { at: "parts/c.conf:1:7", text: "tcp_port", used: null, hint: "did you mean connect_port?" },
      { at: "parts/d.inc:2:3", text: "192.0.2.300/24", used: null, hint: expect.any(String) },
    ]),
  );
});

test("for people and programs alike: file:line:column, severity, message, code, and what follows from it", () => {
  withIncludes();
  const { out } = check("main.conf");
  expect(out).toMatch(
    /^main\.conf:8:3: warning: prioritee is .*\[unknown-keyword\]\n {2}hint: did you mean priority\?$/m,
  );
  expect(out).toMatch(/^parts\/a\.conf:4:10: error: .*900.*\n {2}used: weight 253\n {2}hint: .*-253 to 253/m);
  expect(out).toMatch(/^main\.conf: (usable, with|cannot be used:) \d+ errors, \d+ warnings/m);
});

test("exit codes are those of keepalived -t", () => {
  const files: Readonly<Record<string, readonly [string, number]>> = {
    "good.conf": [good, 0],
    "parameter.conf": [dynamic + instance("priority"), 2],
    "static.conf": ["interface_up_down_delays {\n  nosuch0 1\n}\n", 4],
    "interface.conf": [instance("", "nosuch0"), 5],
    "keyword.conf": [dynamic + instance("prioritee 5"), 5],
    "insecure.conf": [
      `${dynamic}vrrp_script chk {\n  script /usr/bin/true\n}\n${instance("track_script {\n chk\n }")}`,
      6,
    ],
  };
  for (const [name, [text]] of Object.entries(files)) write(name, text);
  const found = reports(...Object.keys(files), "none.conf").map(({ file, exitCode }) => [file, exitCode]);
  expect(Object.fromEntries(found)).toEqual({
    ...Object.fromEntries(Object.entries(files).map(([name, [, code]]) => [name, code])),
    "none.conf": 6,
  });
  expect(check("good.conf", "keyword.conf", "static.conf").code).toBe(5);
  expect(check("good.conf", "--frobnicate")).toMatchObject({
    code: 1,
    out: "",
    error: expect.stringMatching(/^baton: /),
  });
});

test("--strict fails for warnings, not for advice, and says so", () => {
  write("warned.conf", good.replace("}\n", "}\nvrrp_track_process p {\n  process p\n}\n"));
  expect(check("warned.conf").code).toBe(0);
  expect(check("warned.conf", "--strict")).toMatchObject({ code: 5, out: expect.stringContaining("(--strict)") });
  write("good.conf", good);
  expect(check("good.conf", "--strict").code).toBe(0);
});

describe("on a terminal", () => {
  /** util-linux's `script` gives it one. */
  const onTerminal = (env: Readonly<Record<string, string>>, words = "") =>
    run("script", ["-qec", `${baton} check k.conf ${words}`, "/dev/null"], env).out;
  const color = "\u001b[33m";

  test("there is colour, the line and a mark; without one there is neither", () => {
    write("k.conf", dynamic + instance("prioritee 5"));
    const shown = onTerminal({});
    expect(shown).toContain(color);
    expect(shown).toMatch(/7 \|.*prioritee 5\r\n/);
    expect(shown).toMatch(/\^{9}/);
    for (const sign of ["\u001b", "^^"]) expect(check("k.conf").out).not.toContain(sign);
  });

  test("NO_COLOR, TERM=dumb and --color never leave the marks, and take the colour", () => {
    write("k.conf", dynamic + instance("prioritee 5"));
    for (const shown of [
      onTerminal({ NO_COLOR: "1" }),
      onTerminal({ TERM: "dumb" }),
      onTerminal({}, "--color never"),
    ]) {
      expect(shown).not.toContain("\u001b");
      expect(shown).toMatch(/\^{9}/);
    }
  });
});

test("what is no configuration is told in one sentence, whatever it is", () => {
  write("huge.conf", good);
  truncateSync(join(held.directory, "huge.conf"), 100 * 1024 * 1024);
  write("junk.conf", Buffer.from(Array.from({ length: 65_536 }, (_, i) => (i * i * 31 + (i >> 3)) % 256)));
  write("nul.conf", "vrrp\u0000_instance\n");
  write("itself.conf", "include itself.conf\n");
  write("ping.conf", "include pong.conf\n");
  write("pong.conf", "include ping.conf\n");
  write("definitions.conf", "$A=$B $B\n$B=$A $A\n$A\n");
  write("sequence.conf", "~SEQ(X, 1, 100000000) $X\n");
  write("nested.conf", "~SEQ(X, 1, 1000) ~SEQ(Y, 1, 1000) ~SEQ(Z, 1, 1000) $X\n");
  write("open.conf", "vrrp_instance V {\n".repeat(10_000));
  write("quotes.conf", '"'.repeat(1_000_000));
  mkdirSync(join(held.directory, "directory"));
  const expected: Readonly<Record<string, RegExp>> = {
    "huge.conf": /larger than/,
    "junk.conf": /./,
    "nul.conf": /NUL/,
    "itself.conf": /includes itself/,
    "ping.conf": /includes itself/,
    "definitions.conf": /does not fit/,
    "sequence.conf": /too much text/,
    "nested.conf": /too much text/,
    "open.conf": /never closed/,
    "quotes.conf": /not closed on its line/,
    directory: /it is a directory/,
    "none.conf": /does not exist/,
    "/dev/zero": /not a regular file/,
  };
  const { out, error } = check("--json", ...Object.keys(expected));
  expect(error).toBe("");
  const found = out
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as CheckReport);
  expect(found.map(({ file }) => file)).toEqual(Object.keys(expected));
  for (const { file, exitCode, diagnostics } of found) {
    expect([5, 6], file).toContain(exitCode);
    const errors = diagnostics.filter(({ severity }) => severity === "error").map(({ message }) => message);
    expect(errors, file).toContainEqual(expect.stringMatching(expected[file] ?? /never/));
    expect(errors.join("\n"), file).not.toMatch(/\n\s+at /);
  }
});

test("interfaces and addresses are those of the network namespace that the file names", () => {
  const name = `btcheck${process.pid}`;
  const text = instance("", "btcheck0").replace("/24", "/32");
  write("there.conf", `net_namespace ${name}\n${text}`);
  write("nowhere.conf", `net_namespace ${name}x\n${text}`);
  const codes = (file: string) =>
    reports(file).map(({ usable, diagnostics }) => [usable, ...diagnostics.map(({ code, line }) => `${line} ${code}`)]);
  execFileSync("ip", ["netns", "add", name]);
  try {
    execFileSync("ip", ["-n", name, "link", "add", "btcheck0", "type", "veth", "peer", "name", "btcheck1"]);
    expect(codes("there.conf")).toEqual([[true]]);
    expect(codes("nowhere.conf")).toEqual([[true, "1 net-namespace-closed"]]);
    for (const link of ["btcheck0", "btcheck1"]) execFileSync("ip", ["-n", name, "link", "set", link, "up"]);
    execFileSync("ip", ["-n", name, "addr", "add", "10.77.0.2/24", "dev", "btcheck0"]);
    expect(codes("there.conf")).toEqual([[true, "7 lint/host-outside-of-subnet"]]);
    // keepalived's trial of a file, and its option, which wins over the file.
    const { code, error } = run(baton, ["keepalived", "-t", "-f", "nowhere.conf", "-s", name]);
    expect([code, error]).toEqual([0, expect.not.stringContaining("net-namespace-closed")]);
  } finally {
    execFileSync("ip", ["netns", "del", name]);
  }
});

test("with baton.yaml: what does not fit it, here a service that nftables cannot carry", () => {
  write(
    "vs.conf",
    "virtual_server 192.0.2.1 80 {\n  protocol TCP\n  lb_algo wlc\n  real_server 192.0.2.9 80 {\n  }\n}\n",
  );
  write("baton.yaml", "load_balancer: nftables\n");
  write("wrong.yaml", "load_balancer: haproxy\n");
  const codesWith = (settings: string) =>
    reports("--settings", settings, "vs.conf").map(({ usable, diagnostics }) => ({
      usable,
      codes: diagnostics.filter(({ severity }) => severity === "error").map(({ code }) => code),
    }));
  expect(codesWith("baton.yaml")).toEqual([{ usable: false, codes: ["not-for-nftables"] }]);
  expect(codesWith("wrong.yaml")).toEqual([{ usable: false, codes: ["wrong-type"] }]);
});
