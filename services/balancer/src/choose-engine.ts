// Which engine carries the virtual servers: ip_vs where the kernel has it, nftables where it has not or the user says so.
import { messageOf } from "@baton/domain";
import type { LoadBalancer } from "@baton/host";
import type { EngineName } from "./keeper.ts";
import { type EngineKernel, openIpvsKernel, openNftablesKernel } from "./kernel.ts";
import { insideOf, type NamespaceFile } from "./place.ts";

export type ChosenEngine =
  | { readonly engine: EngineName; readonly kernel: EngineKernel }
  | { readonly engine: "none"; readonly error: string };

export type OpenEngine = (engine: EngineName, namespace: NamespaceFile) => EngineKernel;

/** Throws where the kernel has it not, or there is no such namespace. */
export const openEngine: OpenEngine = (engine, namespace) => {
  const inside = <T>(action: () => T): T => insideOf(namespace, action);
  const kernel = engine === "ipvs" ? inside(openIpvsKernel) : openNftablesKernel(inside);
  return {
    carryOut(ask) {
      try {
        return inside(() => kernel.carryOut(ask));
      } catch (error) {
        return { kind: "failed", error: messageOf(error) };
      }
    },
    cancel: () => kernel.cancel(),
    close: () => kernel.close(),
  };
};

/** Where the services are to be, as the user says it. */
export interface SessionPlace {
  readonly setting: LoadBalancer;
  readonly namespace: NamespaceFile;
}

/** `first`: what carries services already; `auto` leaves it only where it cannot be opened any more. */
export function chooseEngine(
  { setting, namespace }: SessionPlace,
  open: OpenEngine,
  first: EngineName = "ipvs",
): ChosenEngine {
  const second: EngineName = first === "ipvs" ? "nftables" : "ipvs";
  const tried: readonly EngineName[] = setting === "auto" ? [first, second] : [setting];
  const errors: string[] = [];
  for (const engine of tried) {
    try {
      return { engine, kernel: open(engine, namespace) };
    } catch (error) {
      errors.push(`${engine}: ${messageOf(error)}`);
    }
  }
  return { engine: "none", error: errors.join("; ") };
}
