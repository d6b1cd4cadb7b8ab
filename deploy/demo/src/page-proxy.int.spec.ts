import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { createServer as createTcpServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { openPageProxy } from "./page-proxy.ts";

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0).reverse()) close();
});

async function page(text: string): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), "baton-page-"));
  closers.push(() => rmSync(directory, { recursive: true }));
  const server: Server = createServer((_request, response) => response.end(text));
  closers.push(() => server.close());
  const socket = join(directory, "page.sock");
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  return socket;
}

test("a page on a unix socket is reached by a port on loopback, another one where the port is taken", async () => {
  const socket = await page("hello");
  const first = await openPageProxy(socket, 0);
  closers.push(() => first.close());
  expect(await (await fetch(first.address)).text()).toBe("hello");
  const second = await openPageProxy(socket, Number(new URL(first.address).port));
  closers.push(() => second.close());
  expect(second.address).not.toBe(first.address);
  expect(await (await fetch(second.address)).text()).toBe("hello");
});

test("a page that is gone ends the connection and nothing else", async () => {
  const proxy = await openPageProxy(join(tmpdir(), `baton-no-page-${process.pid}`), 0);
  closers.push(() => proxy.close());
  await expect(fetch(proxy.address)).rejects.toThrow();
  await expect(fetch(proxy.address)).rejects.toThrow();
});

test("closing gives the port back", async () => {
  const proxy = await openPageProxy(await page("hello"), 0);
  proxy.close();
  const server = createTcpServer();
  closers.push(() => server.close());
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(Number(new URL(proxy.address).port), "127.0.0.1", resolve);
  });
});
