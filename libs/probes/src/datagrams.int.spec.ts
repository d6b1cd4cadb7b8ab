// DNS_CHECK, UDP_CHECK and PING_CHECK against servers in another namespace.
import { micros } from "@baton/domain";
import type { ProbeOutcome } from "@baton/health";
import type { CheckConnection, DnsCheckerConfig, UdpCheckerConfig } from "@baton/keepalived-conf";
import { openUdpSocket, type UdpDatagram, type UdpSocket } from "@baton/linux";
import { openDescriptors } from "@baton/linux/testing";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { probeDns } from "./dns.ts";
import { probePing } from "./ping.ts";
import {
  connectionTo,
  families,
  ip,
  makeProbeWorld,
  ownAddress,
  type ProbeWorld,
  serverAddress,
  times,
} from "./testing/probe-world.ts";
import { probeUdp } from "./udp.ts";

let world: ProbeWorld;
const sockets: UdpSocket[] = [];
beforeAll(() => {
  world = makeProbeWorld("udp");
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.close();
  await world.clear();
});
afterAll(() => world.remove());

const never = new AbortController().signal;
const short = micros(150_000);
type Over = Partial<CheckConnection>;
const to = (family: 4 | 6, over: Over) => connectionTo(serverAddress[family], 53, over);

const ping = (family: 4 | 6, over: Over = {}, signal = never): Promise<ProbeOutcome> =>
  world.ours.inside(() => probePing({ ...times, type: "PING_CHECK", connection: to(family, over) }, signal));
const udp = (family: 4 | 6, more: Partial<UdpCheckerConfig> = {}, over: Over = {}, signal = never) =>
  world.ours.inside(() =>
    probeUdp(
      { ...times, type: "UDP_CHECK", payload: undefined, reply: undefined, ...more, connection: to(family, over) },
      signal,
    ),
  );
const dns = (family: 4 | 6, more: Partial<DnsCheckerConfig> = {}, over: Over = {}) =>
  world.ours.inside(() =>
    probeDns(
      { ...times, type: "DNS_CHECK", queryType: "SOA", name: ".", ...more, connection: to(family, over) },
      never,
    ),
  );

/** Answers each datagram with those that `answer` makes of it. */
function serve(family: 4 | 6, answer: (bytes: Uint8Array) => Uint8Array[], heard: UdpDatagram[] = []): UdpDatagram[] {
  const socket = world.theirs.inside(() =>
    openUdpSocket({
      family,
      ports: { from: 53, to: 53 },
      bufferBytes: 2_048,
      onDatagrams: (datagrams) => {
        for (const { bytes, source } of datagrams) {
          for (const each of answer(bytes)) socket.send(each, source, portOf.get(source) ?? 0);
        }
        heard.push(...datagrams);
      },
    }),
  );
  sockets.push(socket);
  return heard;
}
/** The port is bound to, so that the server knows where to answer. */
const clientPort = 40_000;
const portOf = new Map([
  [ownAddress[4], clientPort],
  [ownAddress[6], clientPort],
]);
const answered: Over = { bindPort: clientPort };

describe.each(families)("PING_CHECK over IPv%i", (family) => {
  test("up", async () => {
    expect(await ping(family)).toEqual({ ok: true, durationMicros: expect.any(Number) });
    expect(await ping(family, { bindAddress: ownAddress[family], bindInterface: "eth0" })).toMatchObject({ ok: true });
  });
  test("twenty at once: each has its own answer", async () => {
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => ping(family)));
    expect(outcomes.map(({ ok }) => ok)).toEqual(outcomes.map(() => true));
  });
  test("blackholed", async () => {
    world.drop(family === 4 ? "icmp type echo-request drop" : "icmpv6 type echo-request drop");
    expect(await ping(family, { timeout: short })).toMatchObject({ ok: false, reason: "timeout" });
  });
  test("prohibited there; no way at all; nobody has the address", async () => {
    world.drop(
      family === 4
        ? "icmp type echo-request reject with icmp admin-prohibited"
        : "icmpv6 type echo-request reject with icmpv6 admin-prohibited",
    );
    expect(await ping(family)).toMatchObject({ ok: false, reason: "unreachable" });
    const address = family === 4 ? ip("192.0.2.1") : ip("2001:db8:1::1");
    expect(await ping(family, { address })).toMatchObject({ ok: false, reason: "unreachable", errno: "ENETUNREACH" });
    const nobody = family === 4 ? ip("10.99.0.77") : ip("2001:db8::77");
    expect(await ping(family, { address: nobody, timeout: micros(8_000_000) })).toMatchObject({
      ok: false,
      reason: "unreachable",
      errno: "EHOSTUNREACH",
    });
  });
});

describe.each(families)("UDP_CHECK over IPv%i", (family) => {
  test("without a reply to wait for: no news is good news, after the timeout", async () => {
    const heard = serve(family, () => []);
    expect(await udp(family, {}, { timeout: short })).toMatchObject({ ok: true });
    await vi.waitFor(() => expect(heard).toHaveLength(1), { timeout: 5_000 });
    expect(heard[0]?.bytes).toHaveLength(32);
    expect(await udp(family, { payload: [1, 2, 255] }, { timeout: short })).toMatchObject({ ok: true });
    await vi.waitFor(() => expect([...(heard[1]?.bytes ?? [])]).toEqual([1, 2, 255]), { timeout: 5_000 });
  });
  test("an answer ends the wait", async () => {
    serve(family, () => [Uint8Array.of(9)]);
    expect(await udp(family, {}, { ...answered, timeout: micros(60_000_000) })).toMatchObject({ ok: true });
  });
  test("down: ICMP says that nobody is there", async () => {
    expect(await udp(family)).toMatchObject({ ok: false, reason: "refused", errno: "ECONNREFUSED" });
  });
  test("prohibited there is an ICMP error too", async () => {
    world.drop("udp dport 53 reject with icmpx admin-prohibited");
    expect(await udp(family)).toMatchObject({ ok: false, reason: "unreachable" });
  });
  test("a reply has to come, and to be as it should", async () => {
    const reply = { minLength: 2, maxLength: 3, pattern: { octets: [1, 0xff, 3], mask: [0xff, 0x0f, 0xff] } };
    let answer = Uint8Array.of(1, 0x0f, 3);
    serve(family, () => (answer.length === 0 ? [] : [answer]));
    const check = (more: Partial<UdpCheckerConfig>) => udp(family, more, { ...answered, timeout: micros(2_000_000) });
    expect(await check({ reply })).toMatchObject({ ok: true });
    answer = Uint8Array.of(1, 0x0f);
    expect(await check({ reply })).toMatchObject({ ok: true });
    for (const wrong of [[1, 0x0e, 3], [1], [1, 0x0f, 3, 4]]) {
      answer = Uint8Array.from(wrong);
      expect(await check({ reply })).toMatchObject({ ok: false, reason: "wrong-reply" });
    }
    expect(await check({ reply: { ...reply, pattern: undefined } })).toMatchObject({ ok: true });
    answer = new Uint8Array(0);
    expect(await udp(family, { reply }, { timeout: short })).toMatchObject({ ok: false, reason: "timeout" });
  });
  test("an abort leaves nothing open", async () => {
    const before = openDescriptors().length;
    const controller = new AbortController();
    const both = [udp(family, {}, { port: 54 }, controller.signal), ping(family, {}, controller.signal)];
    controller.abort();
    for (const outcome of await Promise.all(both)) expect(outcome).toMatchObject({ ok: undefined, reason: "aborted" });
    expect(openDescriptors().length).toBe(before);
  });
});

describe.each(families)("DNS_CHECK over IPv%i", (family) => {
  /** The question with the response bit and this rcode. */
  const answerTo = (question: Uint8Array, rcode: number): Uint8Array => {
    const answer = question.slice();
    answer[2] = (answer[2] ?? 0) | 0x80;
    answer[3] = rcode;
    return answer;
  };
  test("up; the answer itself does not matter", async () => {
    const heard = serve(family, (question) => [answerTo(question, 0)]);
    expect(await dns(family, { name: "example.org", queryType: "AAAA" }, answered)).toMatchObject({ ok: true });
    expect(Buffer.from(heard[0]?.bytes ?? []).toString("hex", 2)).toBe(
      "01000001000000000000076578616d706c65036f726700001c0001",
    );
  });
  test("an error is one, with its rcode", async () => {
    serve(family, (question) => [answerTo(question, 2)]);
    expect(await dns(family, {}, answered)).toMatchObject({
      ok: false,
      reason: "wrong-reply",
      status: 2,
      detail: "SERVFAIL",
    });
  });
  test("what is no answer is passed over: the question itself, another's, a scrap", async () => {
    serve(family, (question) => {
      const others = answerTo(question, 3);
      others[0] = (others[0] ?? 0) ^ 1;
      return [question, others, Uint8Array.of(1), new Uint8Array(0), answerTo(question, 0)];
    });
    expect(await dns(family, {}, answered)).toMatchObject({ ok: true });
  });
  test("refused, silent, blackholed; a name that cannot be asked for", async () => {
    expect(await dns(family)).toMatchObject({ ok: false, reason: "refused" });
    serve(family, () => []);
    expect(await dns(family, {}, { timeout: short })).toMatchObject({ ok: false, reason: "timeout" });
    world.drop("udp dport 53 drop");
    expect(await dns(family, {}, { timeout: short })).toMatchObject({ ok: false, reason: "timeout" });
    expect(await dns(family, { name: "a..b" })).toMatchObject({ ok: false, reason: "wrong-reply" });
  });
});
