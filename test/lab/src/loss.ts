// Adverts lost at random on their way in, for some virtual routers of a wire more than for others; and how often a backup
// has to lose its master by that. The kernel counts what it took away, so that a test knows what was really lost.
import { expectedTakeovers } from "@baton/simulator";
import type { Machine } from "./machine.ts";

export interface LossShare {
  /** The first and the last VRID that it is for. */
  readonly vrids: readonly [number, number];
  readonly percent: number;
}

export interface LossCount {
  readonly percent: number;
  /** Adverts that would have been heard. */
  readonly arrived: number;
  readonly lost: number;
  /** What chance alone makes of them: takeovers from masters that live. */
  readonly expectedTakeovers: number;
}

export interface Loss {
  /** What came to a router while adverts were lost, share by share. */
  counted(router: string): Promise<readonly LossCount[]>;
  /** From now on nothing is lost; what was counted stays. */
  stop(): Promise<void>;
}

const table = "baton_lab_loss";

/** Before the kernel hands them to anybody; raw octets, because nftables knows no VRRP: the second is the VRID. */
const ruleset = (shares: readonly LossShare[]): string => `table ip ${table}
delete table ip ${table}
table ip ${table} {
${shares.map(({ percent }) => `counter arrived_${percent} { }\ncounter lost_${percent} { }`).join("\n")}
chain input {
type filter hook input priority -300;
${shares
  .flatMap(({ vrids: [first, last], percent }) => [
    `ip protocol 112 @th,8,8 ${first}-${last} counter name arrived_${percent}`,
    `ip protocol 112 @th,8,8 ${first}-${last} numgen random mod 100 < ${percent} counter name lost_${percent} drop`,
  ])
  .join("\n")}
}
}
`;

export async function startLoss(routers: readonly Machine[], shares: readonly LossShare[]): Promise<Loss> {
  for (const router of routers) await nft(router, ["-f", "-"], ruleset(shares));
  return {
    async counted(name) {
      const router = routers.find((each) => each.name === name);
      if (router === undefined) throw new Error(`no adverts are lost on ${name}`);
      const packets = readCounters(await nft(router, ["-j", "list", "counters", "table", "ip", table]));
      return shares.map(({ percent }) => {
        const arrived = packets.get(`arrived_${percent}`) ?? 0;
        const lost = packets.get(`lost_${percent}`) ?? 0;
        return { percent, arrived, lost, expectedTakeovers: expectedTakeovers(arrived, percent / 100) };
      });
    },
    async stop() {
      for (const router of routers) await nft(router, ["flush", "table", "ip", table]);
    },
  };
}

async function nft(router: Machine, args: readonly string[], input = ""): Promise<string> {
  const { code, stdout, stderr } = await router.exec(["nft", ...args], { input });
  if (code !== 0) throw new Error(`nft ${args.join(" ")} on ${router.name}: ${stderr}`);
  return stdout;
}

function readCounters(json: string): ReadonlyMap<string, number> {
  const { nftables } = JSON.parse(json) as { nftables: { counter?: { name: string; packets: number } }[] };
  return new Map(nftables.flatMap(({ counter }) => (counter === undefined ? [] : [[counter.name, counter.packets]])));
}
