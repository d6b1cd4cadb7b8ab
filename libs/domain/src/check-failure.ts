// What made a check fail, in words, for whoever tells people of it.
import type { BatonEventOf } from "./events.ts";

/** `refused`, `wrong status 503: no backend`, `exit status 3`, `error EPIPE`. One line. */
export function checkFailureWords(data: BatonEventOf<"check-failed">["data"]): string {
  const { reason, errno, status, excerpt, detail } = data;
  const what = [
    reason.replaceAll("-", " "),
    ...(status === 0 ? [] : [String(status)]),
    // Whoever reads "refused" knows ECONNREFUSED.
    ...(reason === "error" && errno !== "" ? [errno] : []),
    ...(detail === "" ? [] : [`(${detail})`]),
  ].join(" ");
  return excerpt === "" ? what : `${what}: ${excerpt}`;
}
