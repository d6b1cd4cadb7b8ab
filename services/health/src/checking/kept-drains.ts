// Drains as a file of the state directory has them.
import type { KeptDrain } from "./drains.ts";
import { deadlineMillisMax } from "./drains.ts";
import { listOf, objectOf, parseJson } from "./known.ts";

const format = 1;
/** More than any operator would have ordered: such a file is somebody else's. */
const drainsMax = 100_000;

export const drainsText = (drains: readonly KeptDrain[]): string => JSON.stringify({ format, drains });

/** What does not make sense is left out. */
export function parseDrains(text: string | undefined): KeptDrain[] {
  const root = objectOf(parseJson(text));
  if (root?.format !== format) return [];
  return listOf(root.drains)
    .slice(0, drainsMax)
    .flatMap((each) => drainOf(each) ?? []);
}

function drainOf(value: unknown): KeptDrain | undefined {
  const { virtualServer, server, drain, deadlineMs, untilMs } = objectOf(value) ?? {};
  if (typeof virtualServer !== "string" || typeof server !== "string") return undefined;
  if (drain !== "draining" && drain !== "removed") return undefined;
  if (!isMillis(deadlineMs) || deadlineMs > deadlineMillisMax || !isMillis(untilMs)) return undefined;
  return { virtualServer, server, drain, deadlineMs, untilMs };
}

const isMillis = (value: unknown): value is number =>
  typeof value === "number" && Number.isFinite(value) && value >= 0 && value <= Number.MAX_SAFE_INTEGER;
