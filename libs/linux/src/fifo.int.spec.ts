// Real pipes: with a reader, without one, full, and with something else in their place.
import {
  closeSync,
  constants,
  mkdtempSync,
  openSync,
  readSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { isFifoRead, openFifo, removeFifo } from "./fifo.ts";

const held = { directory: "" };
const at = (name: string): string => join(held.directory, name);
beforeEach(() => {
  held.directory = mkdtempSync(join(tmpdir(), "baton-fifo-"));
});
afterEach(() => rmSync(held.directory, { recursive: true, force: true }));

const open = (name = "fifo") => openFifo({ path: at(name), mode: 0o640, owner: undefined });

function readAll(path: string): string {
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const buffer = Buffer.alloc(70_000);
  const length = readSync(descriptor, buffer);
  closeSync(descriptor);
  return buffer.toString("utf8", 0, length);
}

test("it is made with its mode, keeps lines for a reader that comes later, and is found again", () => {
  const fifo = open();
  expect([fifo.made, statSync(at("fifo")).mode & 0o7777, statSync(at("fifo")).isFIFO()]).toEqual([true, 0o640, true]);
  expect([fifo.write("one\n"), fifo.write("two\n")]).toEqual([true, true]);
  expect(readAll(at("fifo"))).toBe("one\ntwo\n");
  fifo.close();
  fifo.close();
  expect(fifo.write("late\n")).toBe(false);
  const again = open();
  expect(again.made).toBe(false);
  again.close();
});

test("one that nobody reads takes lines until it is full, and never blocks", () => {
  const fifo = open();
  const line = `${"x".repeat(1_023)}\n`;
  let lines = 0;
  while (fifo.write(line)) lines++;
  expect(lines).toBe(64);
  readAll(at("fifo"));
  expect(fifo.write(line)).toBe(true);
  fifo.close();
});

test("what else stands there is not opened: a file, a link, somebody else's FIFO", () => {
  writeFileSync(at("file"), "precious");
  expect(() => open("file")).toThrow("something else is there");
  open("target").close();
  symlinkSync(at("target"), at("link"));
  expect(() => open("link")).toThrow("something else is there");
  openFifo({ path: at("theirs"), mode: 0o600, owner: { uid: 65_534, gid: 65_534 } }).close();
  expect(() => open("theirs")).toThrow("somebody else's");
  expect(() => openFifo({ path: at("nowhere/fifo"), mode: 0o600, owner: undefined })).toThrow("ENOENT");
});

test("whether somebody reads it, and its end", () => {
  expect(isFifoRead(at("fifo"))).toBe(false);
  open().close();
  expect(isFifoRead(at("fifo"))).toBe(false);
  const reader = openSync(at("fifo"), constants.O_RDONLY | constants.O_NONBLOCK);
  expect(isFifoRead(at("fifo"))).toBe(true);
  closeSync(reader);
  removeFifo(at("fifo"));
  expect(statSync(at("fifo"), { throwIfNoEntry: false })).toBeUndefined();
  writeFileSync(at("file"), "");
  removeFifo(at("file"));
  expect(statSync(at("file")).isFile()).toBe(true);
  removeFifo(at("nothing"));
});
