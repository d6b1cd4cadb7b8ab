// However an answer is cut into chunks, it says the same.
import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { limits, readResponse } from "./http-response.ts";

const md5 = (text: string): string => createHash("md5").update(text).digest("hex");
const read = (text: string, wanted = { digest: true, body: true }) => {
  const reader = readResponse(wanted);
  reader.push(Buffer.from(text, "latin1"));
  return reader;
};

test("cut anywhere", () => {
  const answer = "HTTP/1.1 200 OK\r\nServer: x\r\nContent-Length: 5\r\n\r\nhello, world";
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: answer.length }), { maxLength: 12 }), (places) => {
      const reader = readResponse({ digest: true, body: true });
      const cuts = [0, ...places.sort((a, b) => a - b), answer.length];
      for (const [index, from] of cuts.slice(0, -1).entries())
        reader.push(Buffer.from(answer.slice(from, cuts[index + 1])));
      expect([reader.hasHeader(), reader.status(), reader.digest()]).toEqual([true, 200, md5("hello")]);
      expect(reader.body().toString()).toBe("hello, world");
    }),
  );
});

const someBytes = fc.oneof(
  fc.uint8Array({ maxLength: 60 }),
  fc
    .constantFrom("HTTP/1.1 200 OK\r\n", "\r\n", "\r\n\r\n", "Content-Length: 3\r\n", "\r", "\n", "200 ")
    .map((text) => Buffer.from(text)),
);
const everything = (chunks: readonly Uint8Array[]) => {
  const reader = readResponse({ digest: true, body: true });
  const ends = chunks.map((chunk) => reader.push(Buffer.from(chunk)));
  return [
    ends.at(-1),
    reader.hasHeader(),
    reader.status(),
    reader.excerpt(),
    reader.body().toString("hex"),
    reader.digest(),
  ];
};

test("whatever comes, however it is cut: the same as in one piece, and octet by octet", () => {
  fc.assert(
    fc.property(fc.array(someBytes, { maxLength: 12 }), (chunks) => {
      const whole = Buffer.concat([Buffer.alloc(0), ...chunks]);
      const seen = everything([whole]);
      expect(everything(chunks.length === 0 ? [whole] : chunks)).toEqual(seen);
      expect(everything(whole.length === 0 ? [whole] : [...whole].map((octet) => Uint8Array.of(octet)))).toEqual(seen);
    }),
  );
});

test("a body that comes octet by octet costs what it is, not an object for each", () => {
  const reader = readResponse({ digest: false, body: true });
  reader.push(Buffer.from("HTTP/1.1 200 OK\r\n\r\n"));
  const octet = Buffer.from("x");
  const before = process.memoryUsage();
  for (let count = 0; count < limits.patternBytesMax; count++) reader.push(octet);
  const after = process.memoryUsage();
  expect(reader.body()).toHaveLength(limits.patternBytesMax);
  expect(after.heapUsed + after.external - before.heapUsed - before.external).toBeLessThan(48 * 1024 * 1024);
});

describe("status: behind the first space, three digits and a space", () => {
  test.each([
    ["HTTP/1.1 204 No Content", 204],
    ["HTTP/1.0 404 ", 404],
    ["ICY 200 OK", 200],
    ["HTTP/1.1 200", 0],
    ["HTTP/1.1  200 OK", 0],
    ["HTTP/1.1 2000 OK", 0],
    ["HTTP/1.1 +20 OK", 0],
    ["HTTP/1.1", 0],
    ["hello", 0],
  ])("%s", (line, status) => {
    expect(read(`${line}\r\nA: b\r\n\r\n`).status()).toBe(status);
  });
  test("none before the header is whole", () => {
    const reader = read("HTTP/1.1 200 OK\r\n");
    expect([reader.hasHeader(), reader.status()]).toEqual([false, 0]);
  });
});

describe("digest: of the body up to Content-Length", () => {
  test.each([
    ["", "abcdef"],
    ["Content-Length: 3\r\n", "abc"],
    ["content-length:3\r\n", "abc"],
    ["Content-Length: 0\r\n", ""],
    ["Content-Length: 99\r\n", "abcdef"],
    ["Content-Length: 3 apples\r\n", "abcdef"],
    ["Content-Length: -3\r\n", "abcdef"],
    ["X-Content-Length: 3\r\n", "abcdef"],
  ])("%j", (header, counted) => {
    expect(read(`HTTP/1.1 200 OK\r\n${header}\r\nabcdef`).digest()).toBe(md5(counted));
  });
});

test("what is too long is said so, and memory has an end", () => {
  const endless = readResponse({ digest: false, body: false });
  const line = Buffer.alloc(10_000, "x");
  expect([1, 2, 3, 4].map(() => endless.push(line))).toEqual([undefined, undefined, undefined, "too-long"]);
  const reader = readResponse({ digest: false, body: true });
  reader.push(Buffer.from("HTTP/1.1 200 OK\r\n\r\n"));
  const chunk = Buffer.alloc(1024 * 1024);
  let pushed = 0;
  while (reader.push(chunk) === undefined) pushed += chunk.length;
  expect(pushed).toBe(limits.bodyBytesMax);
  expect(reader.body()).toHaveLength(limits.patternBytesMax);
  const small = read(`HTTP/1.1 200 OK\r\n\r\n${"y".repeat(100_000)}`, { digest: false, body: false });
  expect(small.body().length).toBeLessThanOrEqual(512);
});
