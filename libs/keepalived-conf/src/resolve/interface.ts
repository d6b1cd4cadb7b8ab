// The interface that a keyword names, as machine and `dynamic_interfaces` know it.
import { interfaceMissing } from "../keywords/interface-missing.ts";
import type { Place } from "../report.ts";
import type { ResolveContext } from "./context.ts";

/** False when keepalived would not start for the lack of it; reported. */
export function requireInterface(name: string, place: Place, context: ResolveContext, dynamic: boolean): boolean {
  if (dynamic || context.machine.interfaceExists?.(name) !== false) return true;
  context.report(interfaceMissing(place, name));
  return false;
}
