// `checks` of baton.yaml as the service uses it: what is not said is as in keepalived.
import { micros } from "@baton/domain";
import type { Settings } from "@baton/host";
import type { CheckingSettings } from "./check-specs.ts";

/** Probes at once: beyond it they wait. Each costs a descriptor. */
const concurrentDefault = 4_096;

export function checkingSettings({
  checks,
}: Pick<Settings, "checks">): CheckingSettings & { readonly concurrent: number } {
  return {
    jitter: checks?.jitter ?? 0,
    concurrent: checks?.concurrent ?? concurrentDefault,
    slowStart: micros((checks?.slowStartSeconds ?? 0) * 1_000_000),
    panicGuard: checks?.panicGuard ?? false,
  };
}
