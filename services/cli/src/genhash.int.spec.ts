// `baton genhash` as a user gets it: the built command against real servers, beside keepalived's where it is installed.
import { execFile, execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo, Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TLSSocket } from "node:tls";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";

const baton = fileURLToPath(new URL("../../../node_modules/.bin/baton", import.meta.url));
const reference = "/usr/bin/genhash";
const folder = mkdtempSync(join(tmpdir(), "baton-genhash-"));
const ports = { plain: "", tls: "" };
const servers: Server[] = [];

/** The page says what was asked, so that a digest tells of the request. */
function answer({ url, headers, httpVersion, socket }: IncomingMessage, response: ServerResponse): void {
  response.statusCode = url === "/missing" ? 404 : 200;
  if (url === "/empty") return void response.end();
  if (url === "/chunks") response.flushHeaders();
  const name = (socket as TLSSocket).servername;
  response.end(`${url} ${headers.host} ${httpVersion} ${headers.connection} ${name === undefined ? "" : name}`);
}
const md5 = (text: string): string => createHash("md5").update(text).digest("hex");

beforeAll(async () => {
  const [key, cert] = ["key.pem", "cert.pem"].map((name) => join(folder, name)) as [string, string];
  const subject = ["-subj", "/CN=web.example", "-days", "2", "-keyout", key, "-out", cert];
  execFileSync("openssl", ["req", "-x509", "-newkey", "rsa:2048", "-nodes", ...subject], { stdio: "ignore" });
  symlinkSync(baton, join(folder, "genhash"));
  servers.push(createServer(answer), createTlsServer({ key: readFileSync(key), cert: readFileSync(cert) }, answer));
  const [plain, tls] = await Promise.all(
    servers.map(
      (server) =>
        new Promise<string>((resolve) =>
          server.listen(0, "::", () => resolve(String((server.address() as AddressInfo).port))),
        ),
    ),
  );
  Object.assign(ports, { plain, tls });
});
afterAll(() => {
  for (const server of servers) server.close();
  rmSync(folder, { recursive: true });
});

const run = (program: string, words: readonly string[]) =>
  new Promise<{ code: number; out: string; error: string }>((resolve) => {
    const options = { timeout: 20_000, env: { ...process.env, NO_COLOR: "1" } };
    execFile(program, [...words], options, (error, out, err) => {
      resolve({ code: typeof error?.code === "number" ? error.code : error === null ? 0 : -1, out, error: err });
    });
  });

test.each([
  ["a page", ["-s", "127.0.0.1", "-p", "PLAIN", "-u", "/a?b"]],
  ["whatever its status", ["--server", "127.0.0.1", "--port", "PLAIN", "--url", "/missing"]],
  ["of a name", ["-s", "127.0.0.1", "-p", "PLAIN", "-u", "/", "-V", "www.example", "-P", "1.0c"]],
  ["over TLS", ["-S", "-s", "127.0.0.1", "-p", "TLS", "-u", "/"]],
  ["over IPv6", ["-s", "::1", "-p", "PLAIN", "-u", "/a"]],
  ["over TLS and IPv6", ["--use-ssl", "-s", "::1", "-p", "TLS", "-u", "/"]],
  ["of HTTP/1.1", ["-s", "127.0.0.1", "-p", "PLAIN", "-u", "/a", "--protocol", "1.1"]],
  ["with a mark and a timeout", ["-s", "127.0.0.1", "-p", "PLAIN", "-u", "/", "-m", "5", "-t", "7"]],
  ["in long words", ["--server", "127.0.0.1", "--port", "PLAIN", "--url", "/", "--fwmark", "16", "--timeout", "7"]],
  [
    "of a name, in long words",
    [
      "--use-ssl",
      "--use-sni",
      "--server",
      "127.0.0.1",
      "--port",
      "TLS",
      "--url",
      "/x",
      "--use-virtualhost",
      "web.example",
      "--protocol",
      "1.0c",
    ],
  ],
  ["an empty page", ["-s", "127.0.0.1", "-p", "PLAIN", "-u", "/empty"]],
  ["a page in chunks", ["-s", "127.0.0.1", "-p", "PLAIN", "-u", "/chunks", "-P", "1.1"]],
  ["over TLS, of a name", ["-S", "-I", "-s", "127.0.0.1", "-p", "TLS", "-u", "/", "-V", "web.example"]],
])("keepalived's words have keepalived's digest: %s", async (_name, given) => {
  const words = given.map((word) => word.replace("PLAIN", ports.plain).replace("TLS", ports.tls));
  const [ours, theirs] = await Promise.all([
    run(join(folder, "genhash"), words),
    existsSync(reference) ? run(reference, words) : undefined,
  ]);
  expect(ours).toEqual({ code: 0, out: expect.stringMatching(/^[0-9a-f]{32}\n$/), error: "" });
  if (theirs === undefined) console.warn(`${reference} is not here: nothing to compare with`);
  else expect(ours.out).toBe(theirs.out);
});

test("a URL says all of it, and --verbose what the page is", async () => {
  const [byAddress, byName, secure] = await Promise.all([
    run(baton, ["genhash", `http://127.0.0.1:${ports.plain}/a`]),
    run(baton, ["genhash", "--verbose", `http://localhost:${ports.plain}/a`]),
    run(baton, ["genhash", "-P", "1.0c", `https://localhost:${ports.tls}`]),
  ]);
  expect(byAddress.out).toBe(`${md5(`/a 127.0.0.1:${ports.plain} 1.0 undefined `)}\n`);
  expect(byName.out).toMatch(/^status 200 in [\d.]+ ms: \/a localhost 1\.0 undefined\n/);
  expect(byName.out.split("\n")[1]).toBe(md5("/a localhost 1.0 undefined "));
  expect(secure.out).toBe(`${md5("/ localhost 1.0 close localhost")}\n`);
});

test("no answer is an error, and so are wrong words", async () => {
  const closed = await run(baton, ["genhash", "-t", "5s", "http://127.0.0.1:1/"]);
  expect([closed.code, closed.out]).toEqual([1, ""]);
  expect(closed.error).toBe("baton: genhash: 127.0.0.1 port 1: refused\n");
  const rows = [
    [["-s", "127.0.0.1", "-u", "/"], "a URL is missing, or --server, --port and --url"],
    [["-s", "localhost", "-p", "80", "-u", "/"], "--server localhost: not an address"],
    [["-s", "127.0.0.1", "-p", "70000", "-u", "/"], "--port 70000: not a port"],
    [["-s", "127.0.0.1", "-p", "80", "-u", "/ x"], "--url: a path has no spaces"],
    [["-p", "80", "http://a/"], "--port and a URL: one of them"],
    [["ftp://a/"], "neither http: nor https:"],
  ] as const;
  const said = await Promise.all(rows.map(([words]) => run(baton, ["genhash", ...words])));
  expect(said.map(({ code, error }, i) => [code, error.includes(rows[i]?.[1] ?? "?")])).toEqual(
    rows.map(() => [1, true]),
  );
});
