// The quorum of tracked virtual servers, as health tells of it and as instances are told.
import { VirtualServerState } from "@baton/contracts";
import { instant, micros } from "@baton/domain";
import { createTestHost } from "@baton/host/testing";
import { expect, test } from "vitest";
import { Quorums, type QuorumWatcher } from "./quorums.ts";

const second = 1_000_000;
const name = "[192.0.2.1]:tcp:80";
const aggregate = { kind: "virtual-server", id: name } as const;
const quorum = { name, weight: -50, hold: micros(10 * second) };

const poolState = (quorumUp: boolean, id = name) => ({
  kind: "virtual-server" as const,
  id,
  version: 0,
  state: {
    $case: "virtualServer" as const,
    value: VirtualServerState.fromPartial({ name: id, quorumUp, lastEventId: "e1" }),
  },
});
const data = { virtualServer: name, quorum: 1, hysteresis: 0, threshold: 1, weight: 0, told: "everyone" };
const lost = (reason = "servers") => ({ type: "quorum-lost", data: { ...data, reason } }) as const;
const gained = { type: "quorum-gained", data: { ...data, reason: "servers" } } as const;

function scene() {
  const host = createTestHost({ service: "election" });
  const health = host.play("health");
  const fed: string[] = [];
  const causes: (string | undefined)[] = [];
  const watchers: QuorumWatcher[] = [];
  const quorums = new Quorums({
    host,
    watchers: () => watchers,
    feed(instances, input) {
      fed.push(`${instances.join(", ")}: ${input.type === "tracker-changed" ? input.status : `stale ${input.stale}`}`);
      if (input.type === "tracker-changed") causes.push(input.cause?.id);
    },
  });
  const watch = (instance: string, inOffice: boolean, resumes = false): void => {
    const inputs = quorums.begin(instance, [quorum], resumes);
    for (const input of inputs)
      fed.push(`${instance} begins: ${input.type === "tracker-changed" ? input.status : "stale"}`);
    watchers.push({ name: instance, quorums: [quorum], inOffice });
  };
  const pass = (seconds: number): void => {
    for (let passed = 0; passed < seconds; passed += 0.5) {
      host.clock.advance(second / 2);
      quorums.beat(instant(host.now()), micros(0));
    }
  };
  const setOffice = (instance: string, inOffice: boolean): void => {
    const index = watchers.findIndex((each) => each.name === instance);
    watchers[index] = { name: instance, quorums: [quorum], inOffice };
  };
  const told = (): string[] => fed.splice(0);
  const configure = (): void =>
    quorums.configure(watchers.length === 0 ? [{ name: "VI_1", quorums: [quorum] }] : watchers);
  return { host, health, quorums, causes, watchers, watch, pass, setOffice, told, configure };
}

/** Both have started, and count their quorum as it is: up. */
function settled() {
  const parts = scene();
  parts.configure();
  parts.health.states([poolState(true)]);
  parts.watch("master", false);
  parts.watch("backup", false);
  parts.setOffice("master", true);
  parts.configure();
  parts.pass(11);
  parts.told();
  return parts;
}

test("who starts is down until it is master, or has been up for the hold", () => {
  const { health, watch, setOffice, pass, told, configure } = scene();
  configure();
  health.states([poolState(true)]);
  watch("one", false);
  watch("two", false);
  expect(told()).toEqual(["one begins: down", "two begins: down"]);
  pass(9);
  expect(told()).toEqual([]);
  setOffice("one", true);
  pass(0.5);
  expect(told()).toEqual(["one: up"]);
  pass(1);
  expect(told()).toEqual(["two: up"]);
});

test("a loss counts at once for a backup, after the hold for a master, with the event as its cause", () => {
  const { health, causes, pass, told } = settled();
  const { id } = health.append(aggregate, lost());
  expect(told()).toEqual(["backup: down"]);
  pass(9);
  expect(told()).toEqual([]);
  pass(1);
  expect(told()).toEqual(["master: down"]);
  expect(causes.slice(-2)).toEqual([id, id]);
  health.append(aggregate, gained);
  expect(told()).toEqual(["master: up"]);
  pass(9.5);
  expect(told()).toEqual([]);
  pass(0.5);
  expect(told()).toEqual(["backup: up"]);
});

test("an end, of Baton or of the virtual server, is no loss", () => {
  const { health, pass, told } = settled();
  health.append(aggregate, lost("stop"));
  health.append(aggregate, lost("removed"));
  pass(20);
  expect(told()).toEqual([]);
});

test("while health is away its last word stands, and nothing moves by it", () => {
  const { health, watch, pass, told } = settled();
  health.append(aggregate, lost());
  expect(told()).toEqual(["backup: down"]);
  pass(4);
  health.disconnect();
  pass(5);
  expect(told()).toEqual([]);
  pass(0.5);
  expect(told()).toEqual(["master, backup: stale true"]);
  pass(30);
  expect(told()).toEqual([]);
  watch("late", false);
  expect(told()).toEqual(["late begins: down", "late begins: stale"]);
  health.states([poolState(false)]);
  pass(0.5);
  expect(told()).toEqual(["master, backup, late: stale false"]);
  pass(9);
  expect(told()).toEqual([]);
  pass(1);
  expect(told()).toEqual(["master: down"]);
});

test("a health that was away for a moment changes nothing", () => {
  const { health, pass, told } = settled();
  health.disconnect();
  pass(3);
  health.states([]);
  pass(3);
  health.states([poolState(true)]);
  pass(20);
  expect(told()).toEqual([]);
});

test("who resumes goes on as it was, until what has changed has lasted", () => {
  const { health, watch, pass, told, configure, setOffice } = scene();
  configure();
  health.states([poolState(false)]);
  watch("one", false, true);
  expect(told()).toEqual([]);
  setOffice("one", true);
  pass(9.5);
  expect(told()).toEqual([]);
  pass(0.5);
  expect(told()).toEqual(["one: down"]);
  health.append(aggregate, gained);
  watch("two", false, true);
  expect(told()).toEqual(["one: up", "two begins: up"]);
});

test("an instance that tracks it from a reload on loses nothing by that", () => {
  const parts = scene();
  parts.configure();
  parts.health.states([poolState(false)]);
  parts.watch("one", true);
  parts.told();
  // As a reload has it: the instance runs, and nothing has been said of it.
  parts.quorums.configure([]);
  parts.configure();
  parts.health.states([poolState(false)]);
  parts.pass(9.5);
  expect(parts.told()).toEqual(["one: up"]);
  parts.pass(1);
  expect(parts.told()).toEqual(["one: down"]);
});

test("a process that did not run counts its hold without that time", () => {
  const { host, health, quorums, pass, told } = settled();
  health.append(aggregate, lost());
  told();
  host.clock.advance(60 * second);
  quorums.beat(instant(host.now()), micros(60 * second));
  pass(9);
  expect(told()).toEqual([]);
  pass(1);
  expect(told()).toEqual(["master: down"]);
});

test("one that is tracked from a later reload on is learnt, though nothing happens to it", () => {
  const { health, watchers, watch, pass, told, configure } = scene();
  const other = { ...quorum, name: "[192.0.2.2]:tcp:80" };
  configure();
  health.states([poolState(true), poolState(false, other.name)]);
  watch("one", true);
  configure();
  pass(11);
  told();
  watchers[0] = { name: "one", quorums: [quorum, other], inOffice: true };
  configure();
  pass(11);
  expect(told()).toEqual(["one: up", "one: down"]);
});

test("one that health begins with later, without its quorum, is learnt: nothing tells of that", () => {
  const { health, watchers, pass, told, configure } = scene();
  watchers.push({ name: "one", quorums: [quorum], inOffice: true });
  configure();
  const states: ReturnType<typeof poolState>[] = [];
  health.states(states);
  pass(20);
  expect(told()).toEqual(["one: up"]);
  states.push(poolState(false));
  pass(4);
  expect(told()).toEqual([]);
  pass(11);
  expect(told()).toEqual(["one: down"]);
});
