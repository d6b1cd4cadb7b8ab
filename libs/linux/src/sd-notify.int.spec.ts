import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { LinuxError } from "./error.ts";
import { checked, libc } from "./libc.ts";
import { sdNotify, unixAddress } from "./sd-notify.ts";

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const MSG_DONTWAIT = 0x40;

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

/** A manager that listens at `path`. */
function listen(path: string): () => string {
  const fd = checked(libc.socket(AF_UNIX, SOCK_DGRAM, 0), "socket");
  cleanups.push(() => libc.close(fd));
  const address = unixAddress(path);
  checked(libc.bind(fd, address, address.length), "bind");
  return () => {
    const text = Buffer.alloc(256);
    return text.toString("utf8", 0, Number(checked(libc.recv(fd, text, text.length, MSG_DONTWAIT), "recv")));
  };
}

test("a socket in the file system", () => {
  const directory = mkdtempSync(join(tmpdir(), "baton-notify-"));
  cleanups.push(() => rmSync(directory, { recursive: true }));
  const receive = listen(join(directory, "notify"));
  sdNotify(join(directory, "notify"), "READY=1");
  sdNotify(join(directory, "notify"), "STOPPING=1\nSTATUS=leaving");
  expect([receive(), receive()]).toEqual(["READY=1", "STOPPING=1\nSTATUS=leaving"]);
});

test("a socket in the abstract namespace", () => {
  const name = `@baton-notify-${process.pid}`;
  const receive = listen(name);
  sdNotify(name, "READY=1");
  expect(receive()).toBe("READY=1");
});

test("nobody there, and a path that is none", () => {
  expect(() => sdNotify(join(tmpdir(), `baton-nobody-${process.pid}`), "READY=1")).toThrow(/ENOENT/);
  expect(() => sdNotify("", "READY=1")).toThrow(LinuxError);
  expect(() => sdNotify("x".repeat(200), "READY=1")).toThrow(/EINVAL/);
});

test("no descriptor is left open", () => {
  const before = checked(libc.socket(AF_UNIX, SOCK_DGRAM, 0), "socket");
  libc.close(before);
  for (let i = 0; i < 10; i++) expect(() => sdNotify("@baton-nobody", "READY=1")).toThrow(/ECONNREFUSED/);
  const after = checked(libc.socket(AF_UNIX, SOCK_DGRAM, 0), "socket");
  libc.close(after);
  expect(after).toBe(before);
});
