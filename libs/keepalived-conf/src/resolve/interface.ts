// Interfaces that the file names have to exist, unless `dynamic_interfaces` says that they come and go.
import type { Place } from "../report.ts";
import { type ResolveContext, reject } from "./context.ts";

/** False when keepalived would not start for the lack of it; reported. */
export function requireInterface(name: string, place: Place, context: ResolveContext, dynamic: boolean): boolean {
  if (dynamic || context.machine.interfaceExists?.(name) !== false) return true;
  reject(
    context,
    place,
    "interface-missing",
    `there is no interface ${name}`,
    "keepalived would not start; dynamic_interfaces in global_defs allows it to come later",
  );
  return false;
}
