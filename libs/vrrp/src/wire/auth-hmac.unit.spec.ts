// keepalived's `auth_hmac` over time: keys that change, clocks that step, packets that come again, senders that come and go.
import fc from "fast-check";
import { expect, test } from "vitest";
import { authKey, type HmacSettings } from "./auth-hmac.ts";
import type { DiscardReason } from "./discard.ts";
import { buildAdvertisement } from "./send.ts";
import { hmacKeys, hmacSettings } from "./testing/captures.ts";
import { ascii, facts, ip, judge, onTheWire, unicast, wireOf } from "./testing/fixtures.ts";
import { forge, trailer } from "./testing/forge.ts";
import { initialWireState, type WireConfig, type WireState } from "./wire.ts";

const start = facts.wallMicros;
const second = 1_000_000;

/** A router: its configuration, its state, its clock. */
interface Router {
  wire: WireConfig;
  state: WireState;
  readonly address: ReturnType<typeof ip>;
  wallMicros: number;
}

function router(address: string, change: Partial<HmacSettings> = {}, wire: Partial<WireConfig> = {}): Router {
  return {
    wire: wireOf({ authentication: hmacSettings(change), ...wire }),
    state: initialWireState,
    address: ip(address),
    wallMicros: start,
  };
}

function speak(from: Router) {
  const { wallMicros, address: source } = from;
  const { packets, state } = buildAdvertisement(200, from.wire, from.state, { source, wallMicros });
  from.state = state;
  const [packet] = packets;
  if (packet === undefined) throw new Error("no packet");
  return onTheWire(packet);
}

function hear(at: Router, datagram: ReturnType<typeof speak>): DiscardReason | readonly string[] {
  const judged = judge(datagram, at.wire, at.state, { wallMicros: at.wallMicros });
  if (!judged.ok) return judged.reason;
  at.state = judged.state;
  return judged.notices;
}

const tick = (micros: number, ...routers: readonly Router[]): void => {
  for (const each of routers) each.wallMicros += micros;
};

test("a stream of adverts, each once", () => {
  const [a, b] = [router("10.77.0.11"), router("10.77.0.12")];
  for (let i = 0; i < 20; i++) {
    const datagram = speak(a);
    expect(hear(b, datagram)).toEqual([]);
    expect(hear(b, datagram)).toBe("hmac-replayed");
    tick(second, a, b);
  }
});

test("two adverts within one reading of the clock differ by the counter", () => {
  const [a, b] = [router("10.77.0.11"), router("10.77.0.12")];
  expect(hear(b, speak(a))).toEqual([]);
  expect(hear(b, speak(a))).toEqual([]);
  expect(a.state.hmac.sent).toBe((BigInt(start / second) << 32n) + 1n);
});

test("the counter carries into the time, and the stream goes on", () => {
  const [a, b] = [router("10.77.0.11"), router("10.77.0.12")];
  const last = (BigInt(start / second) << 32n) | 0xffffn;
  a.state = { ...a.state, hmac: { ...a.state.hmac, sent: last } };
  b.state = { ...b.state, hmac: { ...b.state.hmac, marks: [{ sender: a.address, sequence: last }] } };
  expect(hear(b, speak(a))).toEqual([]);
  expect(a.state.hmac.sent).toBe(last + 1n);
});

test("older than another that was accepted: out of order is a replay too", () => {
  const [a, b] = [router("10.77.0.11"), router("10.77.0.12")];
  const [first, then] = [speak(a), speak(a)];
  expect(hear(b, then)).toEqual([]);
  expect(hear(b, first)).toBe("hmac-replayed");
});

test.each([
  [-6, "hmac-stale"],
  [-5, ["clock-skew"]],
  [-3, ["clock-skew"]],
  [-2, []],
  [2, []],
  [3, ["clock-skew"]],
  [5, ["clock-skew"]],
  [6, "hmac-stale"],
] as const)("a sender whose clock is %i s off, with a window of 5 s: %j", (skew, heard) => {
  const [a, b] = [router("10.77.0.11"), router("10.77.0.12")];
  tick(skew * second, a);
  expect(hear(b, speak(a))).toEqual(heard);
});

test("without time any clock will do, as long as it grows", () => {
  const monotonic = { antiReplay: "monotonic" } as const;
  const [a, b] = [router("10.77.0.11", monotonic), router("10.77.0.12", monotonic)];
  tick(-1_000_000 * second, a);
  const datagram = speak(a);
  expect(hear(b, datagram)).toEqual([]);
  expect(hear(b, datagram)).toBe("hmac-replayed");
  tick(100_000 * second, a);
  expect(hear(b, speak(a))).toEqual([]);
  // The clock is put back: growth goes on from the last number.
  tick(-50_000 * second, a);
  expect(hear(b, speak(a))).toEqual([]);
});

test("a sender whose clock was put forward and back again is heard once the mark is out of the window", () => {
  const [a, b] = [router("10.77.0.11"), router("10.77.0.12")];
  tick(4 * second, a);
  expect(hear(b, speak(a))).toEqual(["clock-skew"]);
  tick(-4 * second, a);
  // The last number is 4 s ahead, within the window: it is counted on from, and the stream is not broken.
  expect(hear(b, speak(a))).toEqual(["clock-skew"]);
  tick(second, a, b);
  expect(hear(b, speak(a))).toEqual(["clock-skew"]);
});

test("a clock that was far ahead and is put right: the sender starts from the clock again", () => {
  const [a, b] = [router("10.77.0.11"), router("10.77.0.12")];
  tick(3_600 * second, a);
  expect(hear(b, speak(a))).toBe("hmac-stale");
  tick(-3_600 * second, a);
  expect(hear(b, speak(a))).toEqual([]);
});

test("both clocks are put back: the receiver's mark expires as it leaves the window", () => {
  const [a, b] = [router("10.77.0.11"), router("10.77.0.12")];
  expect(hear(b, speak(a))).toEqual([]);
  tick(-3_600 * second, a, b);
  expect(hear(b, speak(a))).toEqual([]);
});

test("a restarted sender that remembers nothing goes on by its clock", () => {
  const [a, b] = [router("10.77.0.11"), router("10.77.0.12")];
  expect(hear(b, speak(a))).toEqual([]);
  a.state = initialWireState;
  tick(100_000, a, b);
  expect(hear(b, speak(a))).toEqual([]);
});

test("seconds wrap in 2106 and the signed half is crossed in 2038: nobody notices", () => {
  for (const wrap of [2 ** 31, 2 ** 32]) {
    const [a, b] = [router("10.77.0.11"), router("10.77.0.12")];
    tick((wrap - 3) * second - start, a, b);
    for (let i = 0; i < 6; i++) {
      const datagram = speak(a);
      expect(hear(b, datagram)).toEqual([]);
      expect(hear(b, datagram)).toBe("hmac-replayed");
      tick(second, a, b);
    }
  }
});

test("keys are changed without a lost advert: learn, sign, forget", () => {
  const [old, next] = hmacKeys;
  if (old === undefined || next === undefined) throw new Error("two keys");
  const only = (...keys: readonly (typeof old)[]) => ({ keys });
  const [a, b] = [router("10.77.0.11", only(old)), router("10.77.0.12", only(old))];
  const configure = (at: Router, change: Partial<HmacSettings>): void => {
    at.wire = wireOf({ authentication: hmacSettings(change) });
  };
  const talk = (): void => {
    tick(second, a, b);
    expect([hear(b, speak(a)), hear(a, speak(b))]).toEqual([[], []]);
  };
  talk();
  configure(a, only(old, next));
  talk();
  configure(b, only(old, next));
  talk();
  configure(a, { ...only(old, next), activeKey: 7 });
  talk();
  configure(b, { ...only(old, next), activeKey: 7 });
  talk();
  configure(a, { ...only(next), activeKey: 7 });
  talk();
  // Who was forgotten is told apart from who lies.
  configure(b, { ...only(old), activeKey: 1 });
  expect([hear(b, speak(a)), hear(a, speak(b))]).toEqual(["hmac-unknown-key", "hmac-unknown-key"]);
});

test("from none to all: receive-only, permissive, enforce, one router after the other", () => {
  const modes = ["none", "receive-only", "permissive", "enforce"] as const;
  const at = (address: string, mode: (typeof modes)[number]): Router =>
    mode === "none" ? router(address, {}, { authentication: { type: "none" } }) : router(address, { mode });
  const talk = (left: (typeof modes)[number], right: (typeof modes)[number]) => {
    const [a, b] = [at("10.77.0.11", left), at("10.77.0.12", right)];
    return hear(b, speak(a));
  };
  expect(modes.map((right) => modes.map((left) => talk(left, right)))).toEqual([
    [[], [], "unexpected-trailer", "unexpected-trailer"],
    [["unsigned"], ["unsigned"], [], []],
    [["unsigned"], ["unsigned"], [], []],
    ["hmac-missing", "hmac-missing", [], []],
  ]);
});

test("a bad signature is refused in every mode", () => {
  for (const mode of ["receive-only", "permissive", "enforce"] as const) {
    const a = router("10.77.0.11", { keys: [authKey(1, ascii("y".repeat(32)))] });
    expect(hear(router("10.77.0.12", { mode }), speak(a))).toBe("hmac-invalid");
  }
});

test("a trailer fits one virtual router and one sender", () => {
  expect(hear(router("10.77.0.12"), forge({ trailer: trailer() }))).toEqual([]);
  expect(hear(router("10.77.0.12"), forge({ trailer: trailer({ vrid: 52 }) }))).toBe("hmac-invalid");
  const { bytes } = speak(router("10.77.0.11"));
  bytes.set([13], 15);
  expect(hear(router("10.77.0.12"), { family: 4, bytes })).toBe("hmac-invalid");
});

test("any octet of the message or the trailer is covered, but the checksum", () => {
  const a = router("10.77.0.11");
  const { bytes } = speak(a);
  for (let offset = 20; offset < bytes.length; offset++) {
    const changed = bytes.slice();
    changed[offset] = (changed[offset] ?? 0) ^ 0x40;
    const heard = hear(router("10.77.0.12"), { family: 4, bytes: changed });
    expect([offset, typeof heard]).toEqual([offset, "string"]);
    if (offset === 26 || offset === 27) expect(heard).toBe("bad-checksum");
  }
});

test("an altered copy, sent ahead of a good advert, does not make the good one a replay", () => {
  const [a, b] = [router("10.77.0.11"), router("10.77.0.12")];
  const datagram = speak(a);
  const altered = datagram.bytes.slice();
  altered[26] = (altered[26] ?? 0) ^ 1;
  expect(hear(b, { family: 4, bytes: altered })).toBe("bad-checksum");
  expect(hear(b, datagram)).toEqual([]);
});

test("four multicast senders are remembered; of a fifth's the one heard longest ago goes", () => {
  const senders = [11, 12, 13, 14, 15].map((host) => router(`10.77.0.${host}`));
  const b = router("10.77.0.99");
  const heard = senders.map((each) => speak(each));
  expect(heard.slice(0, 4).map((each) => hear(b, each))).toEqual([[], [], [], []]);
  expect(heard.slice(0, 4).map((each) => hear(b, each))).toEqual(Array.from({ length: 4 }, () => "hmac-replayed"));
  const [first] = senders;
  if (first === undefined) throw new Error("five senders");
  expect(hear(b, speak(first))).toEqual([]); // now the second is the oldest
  expect(heard.slice(4).map((each) => hear(b, each))).toEqual([[]]);
  expect(b.state.hmac.marks.map(({ sender }) => sender)).toEqual(
    ["10.77.0.13", "10.77.0.14", "10.77.0.11", "10.77.0.15"].map(ip),
  );
});

test("every unicast peer has its mark, and who is no peer any more has none", () => {
  const hosts = Array.from({ length: 8 }, (_, index) => `10.77.0.${11 + index}`);
  const me = "10.77.0.99";
  const b = router(me, {}, { reach: unicast(hosts) });
  for (const host of hosts) expect(hear(b, speak(router(host, {}, { reach: unicast([me]) })))).toEqual([]);
  expect(b.state.hmac.marks.length).toBe(8);
  const [kept = ""] = hosts;
  b.wire = { ...b.wire, reach: unicast([kept]) };
  tick(second, b);
  const again = router(kept, {}, { reach: unicast([me]) });
  tick(second, again);
  expect(hear(b, speak(again))).toEqual([]);
  expect(b.state.hmac.marks.map(({ sender }) => sender)).toEqual([ip(kept)]);
});

test("the key that signs must be there", () => {
  const a = router("10.77.0.11", { activeKey: 3 });
  expect(() => speak(a)).toThrow("the key that signs is known: 3");
});

test("whatever clocks do within the window, an honest stream is heard and a copy never is", () => {
  const step = fc.record({
    passes: fc.integer({ min: 0, max: 2_000_000 }),
    slews: fc.integer({ min: -20_000, max: 20_000 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const [a, b] = [router("10.77.0.11"), router("10.77.0.12")];
      let drift = 0;
      for (const { passes, slews } of steps) {
        const slew = Math.abs(drift + slews) < second ? slews : 0;
        drift += slew;
        tick(passes, a, b);
        tick(slew, a);
        const datagram = speak(a);
        expect(typeof hear(b, datagram)).toBe("object");
        expect(hear(b, datagram)).toBe("hmac-replayed");
      }
    }),
    { numRuns: 100 },
  );
});
