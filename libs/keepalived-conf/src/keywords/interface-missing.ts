// Interfaces that the file names have to exist, unless `dynamic_interfaces` says that they come and go.
import type { Place, Problem } from "../report.ts";

export const interfaceMissing = (place: Place, name: string): Problem => ({
  place,
  severity: "error",
  code: "interface-missing",
  errorClass: "general-error",
  message: `there is no interface ${name}`,
  hint: "keepalived would not start; dynamic_interfaces in global_defs allows it to come later",
});
