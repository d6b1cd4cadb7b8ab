import { execFileSync, spawnSync } from "node:child_process";
import { closeSync, readdirSync, readSync } from "node:fs";
import { expect, test } from "vitest";
import { openPipe } from "./pipe.ts";

test("a child that opens /dev/stdout and /dev/stderr by name can write to the pipe", () => {
  const { read, write } = openPipe();
  const script = "echo out > /dev/stdout && echo err > /dev/stderr";
  expect(spawnSync("bash", ["-c", script], { stdio: ["ignore", write, write] }).status).toBe(0);
  closeSync(write);
  const bytes = Buffer.alloc(64);
  expect(bytes.toString("utf8", 0, readSync(read, bytes))).toBe("out\nerr\n");
  expect(readSync(read, bytes), "end of file: nobody holds the other end").toBe(0);
  closeSync(read);
});

test("the ends are not inherited by children that are not given them", () => {
  const { read, write } = openPipe();
  const held = execFileSync("ls", ["-l", "/proc/self/fd"], { encoding: "utf8" });
  const mine = readdirSync("/proc/self/fd");
  expect(mine).toContain(String(read));
  expect(held).not.toMatch(new RegExp(`\\b(${read}|${write}) -> pipe`));
  closeSync(read);
  closeSync(write);
});
