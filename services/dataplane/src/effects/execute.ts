// Effect → kernel, lease stream, event log: a switch and nothing else. What an effect has to be answered with comes back
// as the next input.
import type { CauseRef, Instant } from "@baton/domain";
import type { Host } from "@baton/host";
import { type ChangeResult, type DeadlineTimer, limits } from "@baton/linux";
import type { LeaseServer } from "../inputs/lease-server.ts";
import type { Effect, Input, Report } from "../types.ts";
import type { Kernel } from "./kernel.ts";

export interface Outputs {
  readonly host: Pick<Host, "now" | "events" | "tracer" | "log">;
  readonly kernel: Kernel;
  readonly leases: Pick<LeaseServer, "greet" | "answer" | "end">;
  readonly timer: Pick<DeadlineTimer, "arm">;
}

export function execute(effect: Effect, outputs: Outputs): Input | undefined {
  const { host, kernel, leases, timer } = outputs;
  switch (effect.type) {
    case "change-addresses":
      return change(effect, outputs);
    case "read-addresses":
      return { type: "addresses-read", addresses: kernel.addresses() };
    case "change-routing": {
      const results = kernel.changeRouting(effect.changes);
      return { type: "routing-applied", results, tables: kernel.routing(effect.protocols) };
    }
    case "read-routing":
      return { type: "routing-read", tables: kernel.routing(effect.protocols) };
    case "announce":
      return announce(effect, outputs);
    case "renew-addresses":
      return void renew(effect, outputs);
    case "silence":
      return void kernel.silence(effect.addresses);
    case "unsilence":
      return void kernel.unsilence(effect.addresses);
    case "listen":
      return void kernel.listen(effect.interfaces);
    case "promote-secondaries":
      return void kernel.promoteSecondaries(effect.interface);
    case "keep-groundwork":
      return void kernel.keepGroundwork(effect.groundwork);
    case "greet":
      return void leases.greet(effect);
    case "answer":
      return void leases.answer(effect);
    case "end-stream":
      return void leases.end(effect.stream, effect.reason);
    case "report":
      return void report(effect, host);
    case "log":
      return void host.log[effect.level](effect.message, { ...effect.fields });
    case "arm":
      return void timer.arm(effect.at);
  }
}

function change({ changes, heralds }: Extract<Effect, { type: "change-addresses" }>, { host, kernel }: Outputs): Input {
  const results: ChangeResult[] = [];
  const heralded: number[] = [];
  const carryOut = (end: number): void => {
    for (const result of kernel.change(changes.slice(results.length, end))) results.push(result);
  };
  for (const { addresses, after, ifindex, mac, until } of heralds) {
    while (results.length < after) carryOut(results.length + limits.changesPerSend);
    const isThere = results.slice(after - addresses.length, after).every(({ ok }) => ok);
    heralded.push(isThere && host.now() < until ? kernel.announce(ifindex, addresses, mac).sent : 0);
  }
  if (results.length < changes.length) carryOut(changes.length);
  return { type: "addresses-applied", results, heralded, addresses: kernel.addresses() };
}

/** keepalived's order: `repeat` rounds over all addresses, not each address `repeat` times. */
function announce({ burst }: Extract<Effect, { type: "announce" }>, { host, kernel }: Outputs): Input {
  const startedAt: Instant = host.now();
  const frames = Array.from({ length: burst.repeat }, () => burst.addresses).flat();
  const { sent, error } = kernel.announce(burst.ifindex, frames, burst.mac);
  const endedAt = host.now();
  if (error !== undefined) {
    host.log.warn("not everything was announced", {
      instance: burst.instance,
      interface: burst.interface,
      sent,
      error,
    });
  }
  return { type: "announced", burst, sent, error, startedAt, endedAt };
}

/** In chunks, and before each the clock is asked whether the lease still stands (SAFETY S10). */
function renew({ specs, until }: Extract<Effect, { type: "renew-addresses" }>, { host, kernel }: Outputs): void {
  for (let start = 0; start < specs.length; start += limits.changesPerSend) {
    if (host.now() >= until) return;
    const chunk = specs.slice(start, start + limits.changesPerSend);
    // An error shows as an address that is gone: the kernel tells.
    kernel.change(chunk.map((spec) => ({ op: "replace", spec })));
  }
}

function report({ instance, span: plan, events, cause, chained }: Report, host: Outputs["host"]): void {
  const span =
    plan === undefined
      ? undefined
      : host.tracer.span(plan.name, {
          parent: cause?.traceparent,
          startedAt: plan.startedAt,
          attributes: plan.attributes,
        });
  let because: CauseRef | undefined = cause;
  for (const event of events) {
    const { id, correlationId, traceparent } = host.events.append(
      { kind: "address", id: instance },
      event,
      because,
      span?.traceparent,
    );
    if (chained && because === cause) because = { id, correlationId, traceparent };
  }
  if (plan !== undefined) span?.end({ at: plan.endedAt, ...(plan.error === undefined ? {} : { error: plan.error }) });
}
