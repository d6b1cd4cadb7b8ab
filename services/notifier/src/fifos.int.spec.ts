// Named pipes and their readers: who owns them, who is started, what a restart takes over.
import {
  closeSync,
  constants,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createTestHost } from "@baton/host/testing";
import type { FifosConfig } from "@baton/keepalived-conf";
import { config, globalConfig } from "@baton/keepalived-conf/testing";
import { scriptEnvironment } from "@baton/script";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type Fifos, openFifos } from "./fifos.ts";
import { command } from "./testing/fixtures.ts";

const held = { folder: "", open: [] as Fifos[] };
const at = (name: string): string => join(held.folder, name);
beforeEach(() => {
  held.folder = mkdtempSync(join(tmpdir(), "baton-fifos-"));
  writeFileSync(
    at("reader"),
    '#!/bin/bash\necho "started $*" >> "$(dirname "$0")/story"\nexec cat "$2" >> "$(dirname "$0")/story"\n',
    {
      mode: 0o755,
    },
  );
});
afterEach(() => {
  for (const fifos of held.open.splice(0)) fifos.close();
  rmSync(held.folder, { recursive: true, force: true });
});

const eventually = (check: () => void) => vi.waitFor(check, { timeout: 15_000, interval: 5 });
const story = (): string => (existsSync(at("story")) ? readFileSync(at("story"), "utf8") : "");
const { global } = { global: globalConfig() };
const wanted = (over: Partial<FifosConfig>, umask = 0o022) =>
  config({ global: { ...global, fifos: { ...global.fifos, ...over }, files: { ...global.files, umask } } });
const plain = (name: string) => ({ path: at(name), owner: undefined, reader: undefined });
const read = (name: string) => ({ ...plain(name), reader: command(`${at("reader")} -x`) });

function start(isSuccessor = false) {
  const host = createTestHost({ service: "notifier" });
  const fifos = openFifos({
    log: host.log,
    environment: scriptEnvironment({ PATH: process.env.PATH }),
    lookup: (user) => (user === "nobody" ? { uid: 65_534, gid: 65_534 } : undefined),
    identityOf: () => ({ ok: true, ids: undefined }),
    isSuccessor,
  });
  held.open.push(fifos);
  return { fifos, host };
}

test("its owner and its permissions, less what umask takes; it goes when it is not wanted any more", () => {
  const { fifos } = start();
  const owner = { user: "nobody", group: undefined, supplementaryGroups: false };
  fifos.configure(wanted({ all: { ...plain("all"), owner }, vrrp: plain("vrrp") }, 0o027));
  expect([statSync(at("all")).uid, statSync(at("all")).mode & 0o777]).toEqual([65_534, 0o640]);
  expect(statSync(at("vrrp")).uid).toBe(0);
  fifos.configure(wanted({ all: plain("all"), vrrp: plain("other") }));
  expect([existsSync(at("all")), existsSync(at("vrrp")), existsSync(at("other"))]).toEqual([true, false, true]);
  fifos.close();
  expect([existsSync(at("all")), existsSync(at("other"))]).toEqual([false, false]);
});

test("its reader gets its words and the path, and every line; it ends with it", async () => {
  const { fifos, host } = start();
  fifos.configure(wanted({ vrrp: read("vrrp") }));
  fifos.write("one\n", "vrrp");
  fifos.configure(wanted({ vrrp: read("vrrp") }));
  fifos.write("two\n", "vrrp");
  await eventually(() => expect(story() === `started -x ${at("vrrp")}\none\ntwo\n`).toBe(true));
  fifos.close();
  await eventually(() =>
    expect(host.lines.some(({ message }) => message === "the reader of a FIFO has ended")).toBe(true),
  );
  expect(story().match(/started/g)).toHaveLength(1);
});

test("one that was there before stays, and a file in its place is left alone, aloud", () => {
  const first = start();
  first.fifos.configure(wanted({ all: plain("all") }));
  const second = start();
  second.fifos.configure(wanted({ all: plain("all") }));
  second.fifos.close();
  expect(existsSync(at("all"))).toBe(true);
  writeFileSync(at("file"), "precious");
  const third = start();
  third.fifos.configure(wanted({ all: plain("file") }));
  third.fifos.write("line\n", "lvs");
  third.fifos.close();
  expect(readFileSync(at("file"), "utf8")).toBe("precious");
  expect(third.host.lines).toMatchObject([{ level: "error", message: "a FIFO cannot be used" }]);
});

test("each hears what it is for, and one that two keywords name hears both", async () => {
  const { fifos } = start();
  const heard = async (over: Partial<FifosConfig>): Promise<string> => {
    fifos.configure(wanted(over));
    const paths = [...new Set(Object.values(over).map((fifo) => (typeof fifo === "object" ? fifo.path : "")))];
    const files = paths.map((path) => openSync(path, constants.O_RDONLY | constants.O_NONBLOCK));
    fifos.write("VI ", "vrrp");
    fifos.write("VS ", "lvs");
    return files
      .map((file) => {
        const buffer = Buffer.alloc(100);
        const text = buffer.toString("utf8", 0, readSync(file, buffer));
        closeSync(file);
        return text.trim();
      })
      .join("|");
  };
  expect(await heard({ all: plain("all"), vrrp: plain("vrrp"), lvs: plain("lvs") })).toBe("VI VS|VI|VS");
  expect(await heard({ vrrp: plain("both"), lvs: plain("both") })).toBe("VI VS");
});

test("lines that nobody reads are lost, which is said once", () => {
  const { fifos, host } = start();
  fifos.configure(wanted({ all: plain("all") }));
  for (let line = 0; line < 100; line++) fifos.write(`${"x".repeat(1_023)}\n`, "lvs");
  expect(host.lines.map(({ message }) => message)).toEqual(["nobody reads a FIFO: lines are lost"]);
});

test("a successor of one that died starts a reader only where none is left, and removes what was left", async () => {
  const { fifos } = start();
  fifos.configure(wanted({ all: plain("all") }));
  const descriptor = openSync(at("all"), constants.O_RDONLY | constants.O_NONBLOCK);
  const second = start(true);
  second.fifos.configure(wanted({ all: read("all"), vrrp: read("vrrp") }));
  await eventually(() => expect(story() === `started -x ${at("vrrp")}\n`).toBe(true));
  second.fifos.close();
  expect([existsSync(at("all")), existsSync(at("vrrp"))]).toEqual([false, false]);
  closeSync(descriptor);
});
