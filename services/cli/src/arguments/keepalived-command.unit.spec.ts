// Command lines of unit files, entrypoints and exporters, as they are written for keepalived.
import { expect, test } from "vitest";
import { versionText } from "../commands/keepalived-text.ts";
import { parseArguments } from "./parse-arguments.ts";

const parse = (line: string) => parseArguments(["keepalived", ...line.split(" ").filter((word) => word !== "")]);
const commandOf = (line: string) => {
  const parsed = parse(line);
  if (!parsed.ok) throw new Error(parsed.message);
  return parsed.command;
};
const messageOf = (line: string) => {
  const parsed = parse(line);
  return parsed.ok ? "(good)" : parsed.message;
};

test("a container's entrypoint, in long words and in short ones", () => {
  const long = commandOf("--dont-fork --log-console --log-detail --use-file=/k.conf --pid /p --vrrp_pid=/v");
  expect(long).toMatchObject({
    type: "keepalived",
    isInBackground: false,
    logsToConsole: true,
    notes: [],
    up: {
      config: "/k.conf",
      asKeepalived: { pidFile: "/p", vrrpPidFile: "/v", keepsServices: false, ignoresInterrupt: false },
    },
  });
  expect(commandOf("-nlDf /k.conf -p/p -r /v")).toEqual(long);
});

test("a unit's command line without words: in the background, with keepalived's file", () => {
  expect(commandOf("")).toMatchObject({
    isInBackground: true,
    logFile: undefined,
    up: { config: "/etc/keepalived/keepalived.conf", runDir: "/run/baton", asKeepalived: { pidFile: undefined } },
  });
});

test("the namespace that it is to run in", () => {
  expect(commandOf("-n -s blue")).toMatchObject({ notes: [], up: { asKeepalived: { netNamespace: "blue" } } });
  expect(commandOf("-n --namespace=blue")).toEqual(commandOf("-n -s blue"));
});

test("values that may be left out are attached, and the next word is none", () => {
  const foreground = commandOf("-g -n");
  expect(foreground).toMatchObject({ logFile: "/run/baton/keepalived.log", isInBackground: false });
  expect(foreground.type === "keepalived" && foreground.notes.join()).toContain("no effect with --dont-fork");
  expect(commandOf("-g/var/log/k")).toMatchObject({ logFile: "/var/log/k", isInBackground: true, notes: [] });
  expect(commandOf("--log-file=/var/log/k")).toMatchObject({ logFile: "/var/log/k" });
});

test("long names may be cut short, as far as one is meant", () => {
  expect(commandOf("--dont-f --use /k")).toMatchObject({ isInBackground: false, up: { config: "/k" } });
  expect(messageOf("--dont")).toContain("may be --dont-release-vrrp or --dont-release-ipvs or --dont-respawn");
});

test("what is asked for and does not happen is said", () => {
  const command = commandOf("-n -V -x -S 7 -D");
  if (command.type !== "keepalived") throw new Error(command.type);
  expect(command.notes.map((note) => note.split(":")[0])).toEqual([
    "--log-facility has no effect",
    "--dont-release-vrrp has no effect",
    "--snmp has no effect",
  ]);
});

test("wrong words are one sentence", () => {
  expect(messageOf("--bogus")).toMatch(/^unknown option --bogus; see /);
  expect(messageOf("-nZ")).toMatch(/^unknown option -Z; /);
  expect(messageOf("--")).toMatch(/^unknown option --; /);
  expect(messageOf("-n word")).toMatch(/^unexpected "word"; /);
  expect(messageOf("-f")).toMatch(/^-f needs a value; /);
  expect(messageOf("--pid")).toMatch(/^--pid needs a value; /);
  expect(messageOf("--vrrp=1")).toMatch(/^--vrrp takes no value; /);
  expect(messageOf("-C")).toContain("no checks of real servers yet");
  expect(messageOf("--signum=FOO")).toContain("unknown signal FOO");
});

test("questions: the number of a signal, a trial of the file, the version", () => {
  expect(commandOf("--signum=JSON")).toEqual({ type: "signum", name: "JSON" });
  expect(commandOf("--signum STATS_CLEAR")).toEqual({ type: "signum", name: "STATS_CLEAR" });
  expect(commandOf("-t -f /k")).toEqual({
    type: "config-test",
    file: "/k",
    id: undefined,
    netNamespace: undefined,
    log: undefined,
  });
  const everything = { type: "config-test", file: "/k", id: "a", netNamespace: "blue", log: "/l" };
  expect(commandOf("-t/l -f /k -i a -s blue")).toEqual(everything);
  expect(commandOf("-v")).toEqual({ type: "keepalived-version" });
  expect(commandOf("-h")).toEqual({ type: "keepalived-help" });
});

test("exporters find the version, and that there is JSON", () => {
  const [first = "", ...rest] = versionText().split("\n");
  expect(first.split(" ")[1]).toMatch(/^v\d+\.\d+\.\d+$/);
  expect(rest.join("\n")).toContain("--enable-json");
});
