// What we hold in the kernel, what could not be done, and the account after each change: the read-back decides, not the
// kernel's acknowledgement (SAFETY S9).
import type { Instant } from "@baton/domain";
import type { ChangeResult } from "@baton/linux";
import { isSameAddress, type ManagedAddress } from "./desired.ts";
import { DriftLimit, driftWar } from "./drift-limit.ts";
import { isAsConfigured, type KernelView } from "./kernel-view.ts";
import type { Plan, PlannedAdd, PlannedRemove, Wanted } from "./plan.ts";

export type Outcome =
  | { readonly type: "added"; readonly address: ManagedAddress }
  | { readonly type: "repaired"; readonly address: ManagedAddress; readonly kind: "missing" | "different" }
  | { readonly type: "failed"; readonly address: ManagedAddress; readonly error: string }
  /** Repaired so often that it fails from here on (SAFETY S9); comes before its failure. */
  | { readonly type: "drift-war"; readonly address: ManagedAddress; readonly repairs: number }
  | { readonly type: "removed"; readonly removal: PlannedRemove; readonly wasHeld: boolean }
  | { readonly type: "stayed"; readonly removal: PlannedRemove; readonly error: string };

export interface Admitted {
  /** The part of the plan that may be tried now. */
  readonly plan: Plan;
  /** What fails without being tried. */
  readonly outcomes: readonly Outcome[];
  /** When the repairs that have to wait may be tried. */
  readonly waits: readonly Instant[];
}

export interface Admission {
  readonly mayRetry: boolean;
  readonly repairs: number;
}

export class Holdings {
  readonly #held = new Map<string, ManagedAddress>();
  readonly #failures = new Map<string, string>();
  readonly #stuck = new Map<string, string>();
  readonly #drift = new DriftLimit();

  has(key: string): boolean {
    return this.#held.has(key);
  }

  held(): IterableIterator<ManagedAddress> {
    return this.#held.values();
  }

  hold(address: ManagedAddress): void {
    this.#held.set(address.key, address);
  }

  drop(key: string): void {
    this.#held.delete(key);
  }

  failure(key: string): string | undefined {
    return this.#failures.get(key);
  }

  /** Something was refused, or is being fought over: to be tried again. */
  hasOpenEnds(): boolean {
    return this.#failures.size > 0 || this.#stuck.size > 0;
  }

  /** What is wanted no more cannot fail any more. */
  forgetFailures(isWanted: (key: string) => boolean): void {
    for (const key of [...this.#failures.keys()]) if (!isWanted(key)) this.#failures.delete(key);
  }

  /** `mayRetry`: what failed may be tried again. `repairs`: how often in a minute what somebody takes away is put back. */
  admit(plan: Plan, { mayRetry, repairs }: Admission, now: Instant): Admitted {
    const outcomes: Outcome[] = [];
    const waits: Instant[] = [];
    const fail = ({ address }: Wanted, error: string): void => {
      if (this.#failed(address, error)) outcomes.push({ type: "failed", address, error });
    };
    for (const wanted of plan.homeless) fail(wanted, `ENODEV: there is no interface ${wanted.address.interface}`);
    const adds = plan.adds.filter(({ wanted }) => {
      const { key } = wanted.address;
      if (this.#held.has(key) && this.#drift.isExceeded(key, now, repairs)) {
        if (!this.#failures.get(key)?.startsWith("drift-war"))
          outcomes.push({ type: "drift-war", address: wanted.address, repairs });
        fail(wanted, driftWar(repairs));
        return false;
      }
      const waitsUntil = this.#held.has(key) ? this.#drift.waitsUntil(key, now) : undefined;
      if (waitsUntil !== undefined) waits.push(waitsUntil);
      return waitsUntil === undefined && (mayRetry || !this.#failures.has(key));
    });
    // What is remade is deleted and added together, or left alone.
    const remade = new Set(adds.filter((add) => add.remade).map(({ wanted }) => wanted.address.key));
    const planned = new Set(plan.removes.map(({ key }) => key));
    for (const key of [...this.#stuck.keys()]) if (!planned.has(key)) this.#stuck.delete(key);
    const removes = plan.removes.filter((removal) => {
      if (removal.remade) return remade.has(removal.key);
      if (!this.#held.has(removal.key) && this.#drift.isExceeded(removal.key, now))
        this.#stuck.set(removal.key, "drift-war");
      return mayRetry || !this.#stuck.has(removal.key);
    });
    return { plan: { removes, adds, homeless: [] }, outcomes, waits };
  }

  /** After the change: compares what was planned with what the kernel has now. `results`: removes first, then adds. */
  account(plan: Plan, results: readonly ChangeResult[], view: KernelView, now: Instant): Outcome[] {
    const removed = plan.removes
      .map((removal, index) => ({ removal, result: results[index] }))
      .filter(({ removal }) => !removal.remade)
      .map(({ removal, result }) => this.#accountRemove(removal, result, view, now));
    const added = plan.adds.map((add, index) => this.#accountAdd(add, results[plan.removes.length + index], view, now));
    return [...removed, ...added.filter((outcome) => outcome !== undefined)];
  }

  /** True when that is news: the same error is told once, however it is worded. */
  #failed({ key }: ManagedAddress, error: string): boolean {
    const before = this.#failures.get(key);
    this.#failures.set(key, error);
    return before === undefined || codeOf(before) !== codeOf(error);
  }

  #accountRemove(removal: PlannedRemove, result: ChangeResult | undefined, view: KernelView, now: Instant): Outcome {
    const wasHeld = this.#held.has(removal.key);
    if (view.has(removal.info)) {
      const error = errorOf(result, "the kernel still has it");
      this.#stuck.set(removal.key, error);
      return { type: "stayed", removal, error };
    }
    this.#held.delete(removal.key);
    this.#stuck.delete(removal.key);
    if (!wasHeld) this.#drift.count(removal.key, now);
    return { type: "removed", removal, wasHeld };
  }

  #accountAdd(
    { wanted: { address }, remade }: PlannedAdd,
    result: ChangeResult | undefined,
    view: KernelView,
    now: Instant,
  ): Outcome | undefined {
    const info = view.find(address);
    if (info === undefined || info.flags.dadFailed || !isAsConfigured(info, address)) {
      const error = errorOf(
        result,
        info?.flags.dadFailed ? "dadfailed: somebody else answers" : "not there after it was added",
      );
      return this.#failed(address, error) ? { type: "failed", address, error } : undefined;
    }
    this.#failures.delete(address.key);
    // Held otherwise: it is the configuration that has changed, not the kernel.
    const wasHeld = isSameAddress(this.#held.get(address.key), address);
    this.#held.set(address.key, address);
    if (!wasHeld) return { type: "added", address };
    this.#drift.count(address.key, now);
    return { type: "repaired", address, kind: remade ? "different" : "missing" };
  }
}

const errorOf = (result: ChangeResult | undefined, otherwise: string): string =>
  result === undefined || result.ok ? otherwise : `${result.code}: ${result.message}`;

const codeOf = (error: string): string | undefined => error.split(":")[0];
