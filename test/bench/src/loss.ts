// How often a backup takes over from a master that lives, when packets of VRRP are lost at random: three instances of
// version 3 at 0.1 s, Baton and keepalived in turn. Theory: a takeover for each run of three lost adverts.

import { createLab, type Lab } from "@baton/lab";
import { type System, startRouterWith } from "./routers.ts";
import { sleep } from "./sleep.ts";
import { rounded } from "./statistics.ts";

const vrids = [51, 52, 53] as const;
const advertsAMinute = 600;
const percents = [10, 30, 50] as const;

const config = (priority: number): string =>
  vrids
    .map(
      (vrid) => `vrrp_instance VI_${vrid} {
  interface eth0
  state BACKUP
  version 3
  priority ${priority}
  virtual_router_id ${vrid}
  advert_int 0.1
  virtual_ipaddress {
    172.16.100.${vrid}/16
  }
}
`,
    )
    .join("");

export async function measureLoss(seconds: number): Promise<Record<string, unknown>> {
  const results: Record<string, unknown> = {};
  for (const percent of percents) {
    const share = percent / 100;
    results[`${percent} %`] = {
      theory: rounded(advertsAMinute * share ** 3 * (1 - share)),
      baton: await measureOnce("baton", percent, seconds),
      keepalived: await measureOnce("keepalived", percent, seconds),
    };
    process.stderr.write(`loss ${percent} %: ${JSON.stringify(results[`${percent} %`])}\n`);
  }
  return results;
}

/** False takeovers for each instance and minute. */
async function measureOnce(system: System, percent: number, seconds: number): Promise<number> {
  const lab = await createLab({ name: `loss-${system}` });
  try {
    await startRouterWith(lab, system, "r1", config(150));
    const backup = await startRouterWith(lab, system, "r2", config(100));
    await sleep(5_000);
    await lose(lab, percent);
    const before = takeovers(backup.log());
    await sleep(seconds * 1_000);
    return rounded(((takeovers(backup.log()) - before) / vrids.length / seconds) * 60);
  } finally {
    await lab.destroy();
  }
}

/** Before the kernel hands them to anybody. */
async function lose(lab: Lab, percent: number): Promise<void> {
  const rule = `ip protocol 112 numgen random mod 100 < ${percent} drop`;
  const table = `table ip baton_lab_loss { chain input { type filter hook input priority -300; ${rule}; }; }`;
  for (const router of lab.routers) {
    const { code, stderr } = await router.exec(["nft", table]);
    if (code !== 0) throw new Error(`nft: ${stderr}`);
  }
}

const takeovers = (log: string): number => (log.match(/"became-master"|Entering MASTER STATE/g) ?? []).length;
