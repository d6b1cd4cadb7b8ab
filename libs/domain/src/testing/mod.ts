// For the tests of others: what a check says that found nobody at home.
import type { BatonEventOf } from "../events.ts";

/** `check`: its name. */
export const refusedCheck = (check: string, attempt = 1): BatonEventOf<"check-failed">["data"] => ({
  check,
  reason: "refused",
  errno: "ECONNREFUSED",
  status: 0,
  excerpt: "",
  detail: "",
  durationMs: 1,
  attempt,
  url: 0,
});
