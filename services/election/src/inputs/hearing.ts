// A packet that the codec took, on its way to whom it is for: an instance of the configuration, one that leaves, or nobody
// here, of whom an operator is told.
import type { Host } from "@baton/host";
import { metric } from "@baton/telemetry";
import { findInstance, type VrrpPacket } from "@baton/vrrp";
import type { Counters } from "../counters.ts";
import type { InstanceRunner } from "../instance-runner.ts";
import type { Roster } from "../roster.ts";
import { Sightings } from "./sightings.ts";

export interface HearingParts {
  readonly host: Pick<Host, "now" | "events">;
  readonly counters: Counters;
  readonly roster: Roster;
  /** The loop runs: a stall that has just ended is known before what waited meanwhile is heard. */
  ran(): void;
  /** Instances wait for `vrrp_startup_delay`. */
  startWaits(): boolean;
}

export class Hearing {
  readonly #parts: HearingParts;
  readonly #sightings = new Sightings();

  constructor(parts: HearingParts) {
    this.#parts = parts;
  }

  /** One that leaves and its successor of the same VRID, after a reload, both have to hear it. */
  take(interfaceName: string, packet: VrrpPacket): void {
    const { roster, ran } = this.#parts;
    ran();
    const [present, leaving]: [InstanceRunner[], InstanceRunner[]] = [[], []];
    for (const { party, member, leaves } of roster.seats(interfaceName, packet.vrid)) {
      if (party.started) (leaves ? leaving : present).push(member.runner);
    }
    const found = findInstance(packet, present);
    if (found.ok) found.instance.onPacket(packet);
    const left = leaving.length === 0 ? undefined : findInstance(packet, leaving);
    if (left?.ok) left.instance.onPacket(packet);
    if (!found.ok && left?.ok !== true && !this.#isHeldBack(packet.vrid))
      this.#discard(interfaceName, packet, found.reason);
  }

  #discard(
    interfaceName: string,
    packet: VrrpPacket,
    reason: Extract<ReturnType<typeof findInstance>, { ok: false }>["reason"],
  ): void {
    const { host, counters, roster } = this.#parts;
    if (reason === "unknown-vrid" && roster.wires().isExpectedBeside(interfaceName, packet)) return;
    counters.add(metric.advertsDiscarded, { instance: "", reason });
    const seen = this.#sightings.see(interfaceName, packet, reason, host.now());
    if (seen !== undefined) host.events.append({ kind: "service", id: "election" }, seen);
  }

  /** Instances that wait for `vrrp_startup_delay` ignore adverts, which is no fault of these. */
  #isHeldBack(vrid: number): boolean {
    const { roster, startWaits } = this.#parts;
    if (!startWaits()) return false;
    return [...roster.present().values()].some(
      ({ started, members }) => !started && members.some(({ instance }) => instance.vrid === vrid),
    );
  }
}
