// Dataplane as a process, against the kernel of a namespace, with an election that the test plays.
import { ClaimState, LeaseStanding } from "@baton/contracts";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { claim } from "./testing/fake-election.ts";
import { becameMaster, Lab, snapshotOf, until } from "./testing/lab.ts";
import { instanceConfig, ip, vip } from "./testing/rig.ts";

const address = "172.16.100.1";
const theConfig = instanceConfig("VI_1", [
  vip(`${address}/16`, { label: "eth0:0", broadcast: ip("172.16.255.255"), scope: 253 }),
]);
const plain = (...addresses: string[]) =>
  instanceConfig(
    "VI_1",
    addresses.map((each) => vip(each)),
  );
const released = claim({ state: ClaimState.RELEASE });

describe("dataplane in a namespace", () => {
  let lab: Lab;
  let count = 0;
  beforeEach(() => {
    lab = new Lab(`dp${count++}x`);
  });
  afterEach(() => lab.close());

  /** A dataplane and an election that holds VI_1 under term 1. */
  async function master(config = theConfig) {
    const dataplane = await lab.start(snapshotOf(1, config));
    const election = await lab.connect();
    election.beat([claim()]);
    dataplane.send({ type: "event", instance: "VI_1", event: becameMaster("VI_1", 1) });
    await election.until("held", () => election.last()?.standing === LeaseStanding.HELD);
    return { dataplane, election };
  }

  test("claim and event: the address as configured, confirmed, announced, told, traced", async () => {
    const dataplane = await lab.start(snapshotOf(1, theConfig));
    const election = await lab.connect();
    expect(election.hello?.records).toEqual([]);
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    election.beat([claim({ eventId: "event-1", correlationId: "story-1", traceparent })]);
    dataplane.send({ type: "event", instance: "VI_1", event: becameMaster("VI_1", 1) });
    await election.until("held", () => election.last()?.standing === LeaseStanding.HELD);
    expect(election.last()).toMatchObject({ lease: "VI_1", term: 1, present: [address], missing: [], error: "" });
    expect(lab.address(address)).toMatchObject({
      prefixlen: 16,
      label: "eth0:0",
      broadcast: "172.16.255.255",
      scope: "link",
      dynamic: true,
    });
    await until("five announcements", () => lab.heard.filter(({ senderIp }) => senderIp === address).length >= 5);
    const own = lab.mac(lab.node);
    expect(lab.heard.filter(({ senderIp }) => senderIp === address)).toEqual(
      Array.from({ length: 5 }, () => ({
        operation: "request",
        senderMac: own,
        senderIp: address,
        targetIp: address,
        at: expect.any(Number),
      })),
    );
    await until("both events", () => dataplane.events.length === 2);
    const [added, sent] = dataplane.events;
    expect(added).toMatchObject({
      aggregate: { kind: "address", id: "VI_1" },
      version: 1,
      causationId: "event-1",
      correlationId: "story-1",
      event: { type: "vip-added", data: { address, interface: "eth0", label: "eth0:0", term: 1 } },
    });
    expect(sent).toMatchObject({ version: 2, event: { type: "garp-sent", data: { count: 5, addresses: [address] } } });
    const { spans, states, lines } = await dataplane.ask();
    expect(spans).toMatchObject([{ name: "address.assign" }, { name: "garp.send" }]);
    for (const event of [added, sent]) expect(event?.traceparent).toContain("0af7651916cd43dd8448eb211c80319c");
    expect(states).toMatchObject([
      { kind: "address", id: "VI_1", version: 2, state: { value: { lease: "held", term: 1 } } },
    ]);
    expect(lines).toEqual([]);
  });

  test("IPv6: announced to all nodes, leased in the kernel; leaving it is silent, and goes with its successor's word", async () => {
    const six = "2001:db8::100";
    lab.node.ip("address", "add", "2001:db8::1/64", "dev", "eth0", "nodad");
    lab.peer.ip("address", "add", "2001:db8::2/64", "dev", "eth0", "nodad");
    const { dataplane, election } = await master(instanceConfig("VI_1", [vip(`${six}/64`)], { family: 6, version: 3 }));
    expect(lab.address(six)).toMatchObject({ prefixlen: 64, nodad: true, dynamic: true });
    const own = lab.mac(lab.node);
    const announced = () => lab.advertised.filter(({ target }) => target === six);
    await until("five announcements", () => announced().length >= 5);
    expect(announced()).toEqual(Array.from({ length: 5 }, () => ({ target: six, mac: own })));
    await until("told", () => dataplane.typesTold().includes("garp-sent"));
    expect(await lab.answers(six)).toBe(true);
    const lifetime = (): number => Number(lab.address(six)?.valid_life_time);
    expect(lifetime()).toBeLessThanOrEqual(4);
    const renewed = (): number =>
      lab.kernel.filter(({ type, address: info }) => type === "set" && info.address === six).length;
    await until("a renewal", () => renewed() >= 2);

    const leaving = claim({ state: ClaimState.LEAVING, successorHeard: true });
    election.beat([leaving]);
    await until("the silence", () => lab.silent().includes(six));
    expect(await lab.answers(six)).toBe(false);
    election.beat([claim({ term: 2 })]);
    dataplane.send({ type: "event", instance: "VI_1", event: becameMaster("VI_1", 2) });
    await election.until(
      "held again",
      () => election.last()?.term === 2 && election.last()?.standing === LeaseStanding.HELD,
    );
    election.beat([claim({ term: 2, state: ClaimState.LEAVING, successorHeard: true })]);
    await until("the silence", () => lab.silent().includes(six));
    lab.peerNdPort.sendUnsolicited([ip(six)], { mac: lab.mac(lab.peer), router: false });
    await election.until("released", () => election.last()?.standing === LeaseStanding.RELEASED);
    expect(lab.has(six)).toBe(false);
    expect(lab.silent()).not.toContain(six);
  });

  test("more addresses than one send adds: all held, each heard by the neighbours, and one announcement told of all", async () => {
    const addresses = Array.from({ length: 150 }, (_, i) => `10.51.0.${i}`);
    const { dataplane } = await master(
      instanceConfig(
        "VI_1",
        addresses.map((each) => vip(each)),
      ),
    );
    const heard = (): Set<string> => new Set(lab.heard.map(({ senderIp }) => senderIp));
    await until("every address heard", () => heard().size === addresses.length);
    await until("told", () => dataplane.typesTold().includes("garp-sent"));
    const [sent] = dataplane.events.filter(({ event }) => event.type === "garp-sent");
    expect(sent?.event.data).toMatchObject({ addresses, count: 5 * addresses.length, reason: "takeover" });
    expect(dataplane.typesTold().filter((type) => type === "vip-added")).toHaveLength(addresses.length);
    const { states } = await dataplane.ask();
    expect(states).toMatchObject([
      { state: { value: { addresses: addresses.map((each) => ({ address: each, present: true })) } } },
    ]);
  });

  test("an election that falls silent: gone after a lease, not before", async () => {
    const { dataplane, election } = await master();
    election.rest();
    const lastSentAt = election.send([claim()]);
    await until("gone", () => !lab.has(address));
    const removed = lab.kernel.find((event) => event.type === "removed" && event.address.address === address);
    expect((removed?.at ?? 0) - lastSentAt).toBeGreaterThanOrEqual(2_000_000);
    await until("told", () => dataplane.typesTold().includes("vip-removed"));
    expect(dataplane.typesTold()).toEqual(["vip-added", "garp-sent", "lease-expired", "vip-removed"]);
    const [, , expired, vipRemoved] = dataplane.events;
    expect(vipRemoved?.causationId).toBe(expired?.id);
    // The stream still stands, but the term does not come back.
    election.send([claim()]);
    await election.until("refused", () => election.last()?.standing === LeaseStanding.REFUSED);
    expect(lab.has(address)).toBe(false);
  });

  test("the kernel lease is renewed: the address outlives its lifetime as long as election speaks", async () => {
    const { election } = await master();
    await new Promise((resolve) => setTimeout(resolve, 4_500));
    expect(lab.has(address)).toBe(true);
    expect(lab.kernel.filter(({ type }) => type === "removed")).toEqual([]);
    expect(election.last()?.standing).toBe(LeaseStanding.HELD);
    // Everything a renewal has to repeat is still as configured.
    expect(lab.address(address)).toMatchObject({ label: "eth0:0", broadcast: "172.16.255.255", scope: "link" });
  }, 10_000);

  test("killed and not started again: the kernel itself drops the address", async () => {
    const { dataplane } = await master();
    await dataplane.kill();
    await until("gone", () => !lab.has(address), 5_000);
    expect(lab.addresses()).toMatchObject([{ local: "10.99.0.1" }]);
  }, 10_000);

  test("killed and started again under a living election: the address never leaves", async () => {
    const { dataplane, election } = await master();
    await dataplane.kill();
    await election.until("the stream breaks", () => election.ended !== undefined);
    election.close();
    const again = await lab.start(snapshotOf(1, theConfig));
    const next = await lab.connect();
    next.beat([claim({ term: 2 })]);
    await next.until("held", () => next.last()?.standing === LeaseStanding.HELD);
    // Longer than the lifetime that the killed process left.
    await new Promise((resolve) => setTimeout(resolve, 3_500));
    expect(lab.kernel.filter(({ type }) => type === "removed")).toEqual([]);
    expect(again.typesTold()).not.toContain("vip-added");
  }, 10_000);

  test("stopped for a second under a living election: what waits is read first, nothing is lost", async () => {
    const { dataplane, election } = await master();
    dataplane.child.kill("SIGSTOP");
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    dataplane.child.kill("SIGCONT");
    const answered = election.answers.length;
    await election.until("answers again", () => election.answers.length > answered + 2);
    expect(lab.kernel.filter(({ type }) => type === "removed")).toEqual([]);
    expect(election.statuses().filter(({ standing }) => standing === LeaseStanding.REFUSED)).toEqual([]);
  });

  test("stopped together with its election: the address goes at once when it wakes, and comes back when election confirms", async () => {
    const { dataplane, election } = await master();
    const long = claim({ lengthMicros: 4_000_000 });
    election.rest();
    const asked = election.answers.length;
    election.send([long]);
    await election.until("answered", () => election.answers.length > asked);
    dataplane.child.kill("SIGSTOP");
    // More than half of the lease and less than all of it.
    await new Promise((resolve) => setTimeout(resolve, 2_700));
    dataplane.child.kill("SIGCONT");
    await until("gone", () => !lab.has(address), 1_000);
    await until("told", () => dataplane.typesTold().includes("vip-removed"));
    expect(dataplane.events.at(-1)?.event).toMatchObject({ data: { reason: "dataplane-late" } });
    lab.heard.length = 0;
    election.send([long]);
    await until("back", () => lab.has(address));
    await until("announced", () => lab.heard.some(({ senderIp }) => senderIp === address));
  }, 15_000);

  test("somebody removes the address: it is back at once", async () => {
    const { dataplane } = await master();
    lab.node.ip("address", "del", `${address}/16`, "dev", "eth0");
    await until("back", () => lab.has(address));
    await until("told", () => dataplane.typesTold().includes("drift-repaired"));
    expect(lab.address(address)).toMatchObject({ label: "eth0:0", prefixlen: 16 });
    lab.node.ip("address", "flush", "dev", "eth0", "label", "eth0:0");
    await until("back again", () => dataplane.typesTold().filter((type) => type === "drift-repaired").length === 2);
    const { counters } = await dataplane.ask();
    expect(counters).toContainEqual(expect.objectContaining({ name: "address.drift", value: 2 }));
  });

  test("leftovers go, foreign addresses stay, also as the secondary of ours", async () => {
    lab.node.ip("address", "add", `${address}/16`, "dev", "eth0");
    lab.node.ip("address", "add", "172.16.200.9/16", "dev", "eth0");
    expect(lab.addresses()[2]).toMatchObject({ local: "172.16.200.9", secondary: true });
    const dataplane = await lab.start(snapshotOf(1, plain(`${address}/16`)));
    expect(lab.has(address)).toBe(true);
    const election = await lab.connect();
    election.send([]);
    await until("gone", () => !lab.has(address));
    expect(lab.addresses()).toMatchObject([{ local: "10.99.0.1" }, { local: "172.16.200.9" }]);
    await until("told", () => dataplane.typesTold().includes("vip-removed"));
    // Whoever adds it on a backup, later.
    lab.node.ip("address", "add", `${address}/16`, "dev", "eth0");
    await until("gone again", () => !lab.has(address));
    await until("told as drift", () => dataplane.typesTold().includes("drift-repaired"));
  });

  test("leaving: answers until the successor adverts, silent then, gone when it announces", async () => {
    const { dataplane, election } = await master(plain(`${address}/32`));
    lab.peer.ip("route", "add", address, "dev", "eth0");
    expect(await lab.answers(address)).toBe(true);
    election.beat([claim({ state: ClaimState.LEAVING })]);
    expect(await lab.answers(address)).toBe(true);
    const asked = election.answers.length;
    election.beat([claim({ state: ClaimState.LEAVING, successorHeard: true })]);
    await election.until("answered", () => election.answers.length > asked);
    const beforeAnnouncement = dataplane.events.length;
    expect(lab.has(address)).toBe(true);
    const announcedAt = Date.now();
    lab.peerPort.sendGratuitous([ip(address)], lab.mac(lab.peer));
    await election.until("released", () => election.last()?.standing === LeaseStanding.RELEASED);
    expect(Date.now() - announcedAt).toBeGreaterThanOrEqual(19);
    expect(lab.has(address)).toBe(false);
    await until("told", () => dataplane.events.length > beforeAnnouncement);
    expect(dataplane.events.at(-1)?.event).toMatchObject({ type: "vip-removed", data: { reason: "successor" } });
  }, 15_000);

  test("while silent nobody gets an answer, and the silence ends with the address", async () => {
    const { election } = await master(plain(`${address}/32`));
    lab.peer.ip("route", "add", address, "dev", "eth0");
    election.beat([claim({ state: ClaimState.SILENT })]);
    const asked = election.answers.length;
    await election.until("answered", () => election.answers.length > asked);
    expect(await lab.answers(address)).toBe(false);
    expect(lab.has(address)).toBe(true);
    election.beat([claim({ announce: 1, announceReason: "late" })]);
    await until("announced", () => lab.heard.filter(({ senderIp }) => senderIp === address).length >= 10);
    expect(await lab.answers(address)).toBe(true);
  }, 20_000);

  test("a reload that adds an address: vip-added and nothing else; one that removes it", async () => {
    const { dataplane, election } = await master(plain(address));
    await until("the takeover is told", () => dataplane.events.length === 2);
    dataplane.send({ type: "config", runDir: lab.runDir, snapshot: snapshotOf(2, plain(address, "172.16.100.2")) });
    election.beat([claim()], { configGeneration: 2 });
    await until("added", () => lab.has("172.16.100.2"));
    await election.until("held", () => election.last()?.present.length === 2);
    dataplane.send({ type: "config", runDir: lab.runDir, snapshot: snapshotOf(3, plain("172.16.100.2")) });
    election.beat([claim()], { configGeneration: 3 });
    await until("removed", () => !lab.has(address));
    await until("told", () => dataplane.events.length === 4);
    expect(dataplane.typesTold().slice(2)).toEqual(["vip-added", "vip-removed"]);
  });

  test("a second stream is greeted with what is held, and ends the first", async () => {
    const { election } = await master();
    const second = await lab.connect();
    expect(second.hello?.records).toMatchObject([
      { lease: "VI_1", highestTerm: 1, live: true, lastClaim: { term: 1, priority: 101, state: ClaimState.HOLD } },
    ]);
    await election.until("ended", () => election.ended?.includes("newer election") === true);
    second.beat([claim({ term: 1 })]);
    await second.until("refused", () => second.last()?.standing === LeaseStanding.REFUSED);
    second.beat([claim({ term: 2 })]);
    await second.until("held", () => second.last()?.standing === LeaseStanding.HELD);
    expect(lab.kernel.filter(({ type }) => type === "removed")).toEqual([]);
  });

  test("a frame that makes no sense ends its stream with a clear error, and costs nothing", async () => {
    const { election } = await master();
    election.rest();
    election.send([claim({ state: ClaimState.UNSPECIFIED })]);
    await election.until("ended", () => election.ended?.includes("has no known state") === true);
    expect(lab.has(address)).toBe(true);
  });

  test("the interface goes and comes back: added again, announced from its new MAC", async () => {
    const { election } = await master(plain(`${address}/32`));
    lab.node.ip("link", "del", "dev", "eth0");
    await election.until("failed", () => election.last()?.standing === LeaseStanding.FAILED);
    expect(election.last()?.error).toContain("ENODEV");
    lab.node.ip("link", "add", "eth0", "type", "veth", "peer", "name", "eth1");
    lab.node.ip("link", "set", "eth1", "up");
    lab.node.ip("link", "set", "eth0", "up");
    await election.until("held", () => election.last()?.standing === LeaseStanding.HELD);
    expect(lab.has(address)).toBe(true);
  });

  test("a thousand addresses: taken over in one go, renewed, and gone together", async () => {
    const many = Array.from({ length: 1_000 }, (_, i) => `10.50.${i >> 8}.${i & 255}`);
    const { dataplane, election } = await master(plain(...many));
    expect(election.last()?.present).toHaveLength(1_000);
    await new Promise((resolve) => setTimeout(resolve, 4_000));
    expect(lab.addresses()).toHaveLength(1_001);
    expect(lab.kernel.filter(({ type }) => type === "removed")).toEqual([]);
    election.beat([released]);
    await election.until("released", () => election.last()?.standing === LeaseStanding.RELEASED);
    expect(lab.addresses()).toHaveLength(1);
    await until("all told", () => dataplane.typesTold().filter((type) => type === "vip-removed").length === 1_000);
  }, 20_000);

  test("the node stops: what is held goes, the process ends", async () => {
    const { dataplane } = await master();
    await dataplane.stop();
    expect(lab.addresses()).toMatchObject([{ local: "10.99.0.1" }]);
    expect(dataplane.child.exitCode).toBe(0);
    expect(dataplane.typesTold().at(-1)).toBe("vip-removed");
  });
});
