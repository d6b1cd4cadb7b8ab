// One check that decides for several servers which suppose different things of it: whatever reloads make of them, in the
// end each says what the check has found.
import { micros } from "@baton/domain";
import type { ProbeOutcome } from "@baton/health";
import { createTestHost } from "@baton/host/testing";
import { configOf } from "@baton/keepalived-conf/testing";
import fc from "fast-check";
import { expect, test } from "vitest";
import { createAgenda } from "./agenda.ts";
import { createCheckBoard } from "./check-board.ts";
import { type PoolSpec, rememberPoolSpecs } from "./check-specs.ts";
import { createConfiguredServers } from "./configured-servers.ts";
import { nothingKnown } from "./known.ts";
import { createPoolBoard } from "./pool-board.ts";
import { createProbeQueue } from "./probe-queue.ts";

const settings = { jitter: 0, slowStart: micros(0), panicGuard: false };

/** A tenth of a second a step; `answers`: whether the attempt of that step succeeds. */
function world() {
  const host = createTestHost({ service: "health" });
  let fire = (): void => undefined;
  const openTimer = (onDeadline: () => void) => {
    fire = onDeadline;
    return { arm: () => undefined, close: () => undefined };
  };
  const agenda = createAgenda({ now: host.now, openTimer });
  const pools = createPoolBoard({ host, agenda, onChange: () => undefined });
  const waiting: ((outcome: ProbeOutcome) => void)[] = [];
  const checks = createCheckBoard({
    host,
    agenda,
    queue: createProbeQueue(100),
    tls: () => undefined as never,
    program: () => ({ program: { identity: { ok: false, reason: "" }, environment: {} }, release: () => undefined }),
    onReport: ({ user, report, news, cause }) =>
      pools.feed(user.pool, { type: "check-reported", server: user.server, report, news }, cause),
    onKnown: () => undefined,
    attempt: () => new Promise((resolve) => waiting.push(resolve)),
  });
  const configured = createConfiguredServers({
    checks,
    pools,
    drains: { of: () => ({ drain: "none", until: undefined }), keepOnly: () => undefined },
    known: nothingKnown,
    moment: () => ({ now: host.now(), random: 0 }),
    fileValue: () => undefined,
  });
  const specsOf = rememberPoolSpecs();
  let specs: readonly PoolSpec[] = [];
  const durationMicros = micros(10);
  return {
    pools,
    checks,
    apply: (text: string) => {
      specs = specsOf(configOf(text), settings);
      configured.apply(specs, { jitter: 0, flush: false });
    },
    /** Nothing is another. */
    applyAgain: () => configured.apply(specs, { jitter: 0, flush: false }),
    async pass(steps: number, succeeds: (attempt: number) => boolean): Promise<void> {
      let attempt = 0;
      for (let step = 0; step < steps; step++) {
        host.clock.advance(micros(100_000));
        fire();
        for (const answer of waiting.splice(0)) {
          attempt += 1;
          answer(succeeds(attempt) ? { ok: true, durationMicros } : { ok: false, durationMicros, reason: "refused" });
        }
        for (let turn = 0; turn < 4; turn++) await Promise.resolve();
      }
    },
    aliveAt: (): Record<string, boolean> =>
      Object.fromEntries(
        [...pools.members.values()].map(({ name, state }) => [
          name.split(":").at(-1),
          state.servers.every(({ alive }) => alive),
        ]),
      ),
  };
}

const service = (port: number, check: string, delayLoop = 1): string => `
virtual_server 192.0.2.1 ${port} {
  delay_loop ${delayLoop}
  delay_before_retry 1
  retry 3
  warmup 0
  protocol TCP
  real_server 10.0.0.1 80 {
    ${check}
  }
}
`;
const plain = "TCP_CHECK {\n connect_port 81\n}";
const alpha = "TCP_CHECK {\n connect_port 81\n alpha\n}";

test("alive where it is new, down where it begins: a first attempt that fails and a second that does not", async () => {
  const { apply, pass, aliveAt } = world();
  apply(service(80, ""));
  await pass(10, () => true);
  apply(service(80, alpha) + service(443, alpha));
  expect(aliveAt()).toEqual({ 80: true, 443: false });
  await pass(100, (attempt) => attempt !== 1);
  expect(aliveAt()).toEqual({ 80: true, 443: true });
});

test("a reload of something else after the attempt that fails", async () => {
  const { apply, applyAgain, pass, aliveAt } = world();
  apply(service(80, ""));
  await pass(10, () => true);
  apply(service(80, alpha) + service(443, alpha));
  await pass(12, () => false);
  expect(aliveAt()).toEqual({ 80: true, 443: false });
  applyAgain();
  await pass(100, () => true);
  expect(aliveAt()).toEqual({ 80: true, 443: true });
});

test("a check that begins down goes to a server that is alive: it can fail", async () => {
  const { apply, pass, aliveAt } = world();
  apply(service(80, ""));
  await pass(10, () => true);
  apply(service(80, "") + service(443, alpha));
  await pass(5, () => true);
  apply(service(80, alpha));
  expect(aliveAt()).toEqual({ 80: true });
  await pass(100, () => false);
  expect(aliveAt()).toEqual({ 80: false });
});

test("a server that is known down changes to a check that has not run: it can come back", async () => {
  const { apply, pass, aliveAt } = world();
  apply(service(80, plain));
  await pass(100, () => false);
  apply(service(80, plain) + service(443, plain, 2));
  await pass(5, () => false);
  apply(service(80, plain, 2) + service(443, plain, 2));
  await pass(100, () => true);
  expect(aliveAt()).toEqual({ 80: true, 443: true });
});

test("whatever is reloaded, and whenever: at last every server is what its checks have found", async () => {
  const one = fc.tuple(fc.constantFrom(80, 443), fc.constantFrom("", plain, alpha), fc.constantFrom(1, 1, 2));
  const reload = fc.record({
    services: fc.uniqueArray(one, { selector: ([port]) => port, minLength: 1 }),
    // The first attempt is made in the eleventh.
    steps: fc.oneof(fc.constantFrom(5, 11, 25), fc.nat(60)),
    answers: fc.array(fc.boolean(), { minLength: 1, maxLength: 6 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(reload, { minLength: 1, maxLength: 5 }), fc.boolean(), async (reloads, outcome) => {
      const { apply, pass, aliveAt } = world();
      for (const { services, steps, answers } of reloads) {
        apply(services.map(([port, check, delay]) => service(port, check, delay)).join(""));
        await pass(steps, (attempt) => answers[attempt % answers.length] === true);
      }
      await pass(150, () => outcome);
      const last = reloads.at(-1)?.services ?? [];
      for (const [port, check] of last) expect([port, aliveAt()[port]]).toEqual([port, check === "" || outcome]);
    }),
    { numRuns: 400 },
  );
}, 120_000);
