// Which engine carries the virtual servers: ip_vs where the kernel has it, nftables where it has not or the user says so.
import { messageOf } from "@baton/domain";
import type { LoadBalancer } from "@baton/host";
import type { EngineName } from "./keeper.ts";
import { type EngineKernel, openIpvsKernel, openNftablesKernel } from "./kernel.ts";

export type ChosenEngine =
  | { readonly engine: EngineName; readonly kernel: EngineKernel }
  | { readonly engine: "none"; readonly error: string };

export type OpenEngine = (engine: EngineName) => EngineKernel;

export const openEngine: OpenEngine = (engine) => (engine === "ipvs" ? openIpvsKernel() : openNftablesKernel());

export function chooseEngine(setting: LoadBalancer, open: OpenEngine): ChosenEngine {
  const tried = setting === "auto" ? (["ipvs", "nftables"] as const) : [setting];
  const errors: string[] = [];
  for (const engine of tried) {
    try {
      return { engine, kernel: open(engine) };
    } catch (error) {
      errors.push(`${engine}: ${messageOf(error)}`);
    }
  }
  return { engine: "none", error: errors.join("; ") };
}
