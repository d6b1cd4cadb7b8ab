// deploy/bootstrap says in one sentence what it cannot repair. Each machine is this one with something taken away, in a
// mount namespace of its own.
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));
const script = join(root, "deploy/bootstrap");
const held = { directory: "" };

beforeEach(() => {
  held.directory = mkdtempSync(join(tmpdir(), "baton-bootstrap-"));
  chmodSync(held.directory, 0o755);
});
afterEach(() => rmSync(held.directory, { recursive: true, force: true }));

/** What gets as far as the build may have to build. */
const buildMs = 180_000;

/** A program that stands before the real one in PATH. */
function fake(name: string, text: string): void {
  writeFileSync(join(held.directory, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
}

function run(
  before: readonly string[] = [],
  path = process.env.PATH ?? "",
): { code: number | null; said: string[]; out: string } {
  const argv = [...before, "sh", script];
  const { status, stdout, stderr } = spawnSync(argv[0] ?? "", argv.slice(1), {
    encoding: "utf8",
    env: { ...process.env, PATH: `${held.directory}${delimiter}${path}` },
  });
  return { code: status, said: stderr.trim().split("\n"), out: stdout };
}

/** Programs that cannot be executed there, wherever they are found. */
function without(...names: string[]): string[] {
  const nothing = join(held.directory, "nothing");
  writeFileSync(nothing, "", { mode: 0o644 });
  const places = ["/usr/sbin", "/usr/bin", "/sbin", "/bin", "/usr/local/bin", "/usr/local/sbin"];
  const hide = names
    .flatMap((name) => places.map((place) => `${place}/${name}`))
    .map((file) => `[ ! -e ${file} ] || mount --bind ${nothing} "$(readlink -f ${file})"`);
  return ["unshare", "--mount", "sh", "-c", `${hide.join("\n")}\nexec "$@"`, "hidden"];
}

test("not root", () => {
  const { code, said } = run(["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]);
  expect([code, said]).toEqual([1, [expect.stringMatching(/^baton: Baton needs root .*sudo\.$/)]]);
});

test.each(["18.19.1", "20.18.9", "nonsense"])("Node %s", (version) => {
  fake("node", `echo ${version}`);
  const { code, said } = run();
  expect([code, said]).toEqual([1, [`baton: Node ${version} is too old: Baton needs Node >= 20.19.`]]);
});

test.each(["20.19.0", "22.0.0", "100.1.2"])(
  "Node %s is good enough",
  (version) => {
    // Asked for its version it lies; everything else is the real one's.
    fake("node", `if [ "$1" = "-p" ]; then echo ${version}; else exec ${process.execPath} "$@"; fi`);
    expect(run().said).toEqual([""]);
  },
  buildMs,
);

test("no ip and nothing to install it with", () => {
  const { code, said } = run(without("ip", "apt-get"));
  expect([code, said]).toEqual([
    1,
    ["baton: these packages are missing and there is no apt-get to install them: iproute2."],
  ]);
});

test("a package that cannot be installed: what apt-get said, and one sentence", () => {
  fake("apt-get", 'echo "E: Unable to locate package" >&2; exit 100');
  const { code, said } = run(without("nats-server"));
  expect(code).toBe(1);
  expect(said.at(0)).toBe("baton: installing Debian packages: nats-server");
  expect(said.at(-1)).toBe("baton: apt-get could not install: nats-server.");
  expect(said).toContain("E: Unable to locate package");
});

test("no daemon may start while packages are installed, and the machine's policy comes back", () => {
  const seen = join(held.directory, "seen");
  fake("apt-get", `cat /usr/sbin/policy-rc.d >>${seen}; exit 1`);
  // A policy of somebody else's, there for this test alone.
  const sbin = join(held.directory, "sbin");
  mkdirSync(sbin);
  const prepare = `mount -t tmpfs tmpfs ${sbin} && cp -a /usr/sbin/. ${sbin} && mount --bind ${sbin} /usr/sbin && rm -f /usr/sbin/nats-server && echo theirs >/usr/sbin/policy-rc.d`;
  const after = `cp /usr/sbin/policy-rc.d ${held.directory}/after; ls /usr/sbin | grep -c before-baton >${held.directory}/left`;
  run(["unshare", "--mount", "sh", "-c", `${prepare} && { "$@"; ${after}; }`, "prepared"]);
  expect(readFileSync(seen, "utf8")).toMatch(/exit 101/);
  expect(readFileSync(join(held.directory, "after"), "utf8")).toBe("theirs\n");
  expect(readFileSync(join(held.directory, "left"), "utf8").trim()).toBe("0");
});

test(
  "where nothing is missing it says nothing",
  () => {
    expect(run()).toEqual({ code: 0, said: [""], out: "" });
  },
  buildMs,
);

test(
  "it finds its repository from anywhere, also by a link",
  () => {
    const link = join(held.directory, "elsewhere");
    symlinkSync(root, link);
    const { status, stderr } = spawnSync("sh", [join(link, "deploy/bootstrap")], { cwd: tmpdir(), encoding: "utf8" });
    expect([status, stderr]).toEqual([0, ""]);
    expect(existsSync(join(root, "services/cli/dist/main.js"))).toBe(true);
  },
  buildMs,
);
