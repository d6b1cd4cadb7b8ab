import type { ProbeOutcome } from "@baton/health";

type Obstacle = Extract<ProbeOutcome, { readonly ok: undefined }>;

/** Why an attempt has come to no verdict: `spawn there is no user web`. */
export const obstacleWords = ({ reason, errno = "", detail = "" }: Obstacle): string =>
  [reason, errno, detail].filter((part) => part !== "").join(" ");
