// Directors in the small machine, for measurements.
export { measureProgramming } from "./scale/programming.ts";
