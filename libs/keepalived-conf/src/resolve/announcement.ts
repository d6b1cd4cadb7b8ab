// How the addresses of an instance are announced.
import { micros } from "@baton/domain";
import type { GarpConfig } from "../config.ts";
import { vrrpInstance } from "../keywords/vrrp-instance.ts";
import { type Block, setting, value } from "../syntax/tree.ts";
import { adjust, type ResolveContext } from "./context.ts";

const { keywords } = vrrpInstance;

export function resolveGarp(
  block: Block<string>,
  defaults: GarpConfig,
  strict: boolean,
  context: ResolveContext,
): GarpConfig {
  const lowerDelay = setting(block, keywords.garpLowerPriorityDelay);
  const lowerRepeat = setting(block, keywords.garpLowerPriorityRepeat);
  for (const given of strict ? [lowerDelay, lowerRepeat] : []) {
    if (given !== undefined && given.value !== 0) {
      adjust(context, given.place, "strict", "strict: nothing is announced on a lower priority", {
        used: `${given.keyword.name} 0`,
      });
    }
  }
  return {
    delay: value(block, keywords.garpDelay) ?? defaults.delay,
    repeat: value(block, keywords.garpRepeat) ?? defaults.repeat,
    refresh: value(block, keywords.garpRefresh) ?? defaults.refresh,
    refreshRepeat: value(block, keywords.garpRefreshRepeat) ?? defaults.refreshRepeat,
    lowerPriorityDelay: strict ? micros(0) : (lowerDelay?.value ?? defaults.lowerPriorityDelay),
    lowerPriorityRepeat: strict ? 0 : (lowerRepeat?.value ?? defaults.lowerPriorityRepeat),
  };
}
