import { expect, test } from "vitest";
import { defaultStateDir, parseHostPort, parseOptions } from "./options.ts";

test("everything has a default", () => {
  expect(parseOptions([])).toEqual({
    kind: "run",
    options: {
      listen: { kind: "tcp", host: "127.0.0.1", port: 8112 },
      hostNames: [],
      stateDir: defaultStateDir,
      nodes: [],
      bus: { kind: "own", host: "127.0.0.1", port: 4222, advertise: undefined },
      readyFile: undefined,
    },
  });
});

test("everything can be given", () => {
  const parsed = parseOptions(
    "--listen unix:/run/f.sock --host-name Fleet.Example --state-dir /s --nodes r1,r2 --nodes r3 --nats-listen [::]:0 --nats-advertise nats://hub:1 --ready-file /r".split(
      " ",
    ),
  );
  expect(parsed).toEqual({
    kind: "run",
    options: {
      listen: { kind: "unix", path: "/run/f.sock" },
      hostNames: ["fleet.example"],
      stateDir: "/s",
      nodes: ["r1", "r2", "r3"],
      bus: { kind: "own", host: "::", port: 0, advertise: "nats://hub:1" },
      readyFile: "/r",
    },
  });
  expect(parseOptions(["--nats-url", "tls://bus", "--nats-credentials", "/c"])).toMatchObject({
    options: { bus: { kind: "external", url: "tls://bus", credentials: "/c" } },
  });
});

test.each([
  [["--listen", "80"], "--listen takes"],
  [["--listen", "unix:"], "--listen takes"],
  [["--listen", "h:70000"], "--listen takes"],
  [["--nats-listen", "x"], "--nats-listen takes"],
  [["--nats-url", "http://x"], "--nats-url begins"],
  [["--nats-url", "nats://x", "--nats-listen", "h:1"], "exclude each other"],
  [["--nats-credentials", "/c"], "belongs to --nats-url"],
  [["--nats-advertise", "x"], "--nats-advertise begins"],
  [["--nodes", "r1, r2"], "--nodes: the name of a node"],
  [["--add-node", " "], "--add-node: the name of a node"],
  [["--nonsense"], "--nonsense"],
  [["word"], "word"],
])("%j is refused", (argv, message) => {
  expect(parseOptions(argv)).toMatchObject({ kind: "error", message: expect.stringContaining(message) });
});

test.each([
  ["127.0.0.1:80", { host: "127.0.0.1", port: 80 }],
  ["[::1]:80", { host: "::1", port: 80 }],
  ["name:0", { host: "name", port: 0 }],
  ["::1:80", undefined],
  ["name:", undefined],
])("%s", (text, address) => expect(parseHostPort(text)).toEqual(address));
