import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { openSupervisorLink, type ServiceReport, type SupervisorCommand } from "./supervisor-link.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function open(reads: boolean) {
  const sent: ServiceReport[] = [];
  const commands: SupervisorCommand[] = [];
  const unread: ((error: Error | null) => void)[] = [];
  let listener: (message: unknown) => void = () => undefined;
  const ipc = {
    connected: true,
    send: (message: ServiceReport, done: (error: Error | null) => void) => {
      sent.push(message);
      if (reads) done(null);
      else unread.push(done);
      return true;
    },
    on: (_event: "message", handler: (message: unknown) => void) => {
      listener = handler;
    },
  };
  const link = openSupervisorLink(ipc, (command) => commands.push(command));
  return { ipc, link, sent, commands, unread, say: (message: unknown) => listener(message) };
}

test("the service says every third second that it is alive", () => {
  const { sent, link } = open(true);
  vi.advanceTimersByTime(9_000);
  expect(sent).toEqual([{ type: "alive" }, { type: "alive" }, { type: "alive" }]);
  link.close();
  vi.advanceTimersByTime(15_000);
  expect(sent).toHaveLength(3);
});

test("a supervisor that reads nothing is not sent more and more", () => {
  const { sent, link } = open(false);
  vi.advanceTimersByTime(3_600_000);
  expect(sent).toHaveLength(1);
  for (let i = 0; i < 1_000; i++) link.report({ type: "ready" });
  expect(sent.length).toBeLessThan(100);
});

test("commands are read, anything else is not", () => {
  const { say, commands } = open(true);
  for (const message of [
    null,
    "stop",
    1,
    {},
    { type: "halt" },
    { type: "stop", reason: "TERM" },
    { type: "stop" },
    { type: "reload" },
    { type: "dump", what: "json" },
    { type: "dump", what: "everything" },
    { type: "dump" },
  ]) {
    say(message);
  }
  expect(commands).toEqual([
    { type: "stop", reason: "TERM" },
    { type: "stop", reason: "stop" },
    { type: "reload" },
    { type: "dump", what: "json" },
  ]);
});

test("a last report waits until it is in the pipe; without a supervisor it does not wait", async () => {
  const { link, unread, ipc } = open(false);
  const told = link.reportAndWait({ type: "stopped" });
  unread[0]?.(null);
  await told;
  ipc.connected = false;
  await link.reportAndWait({ type: "stopped" });
  expect(unread).toHaveLength(1);
});
