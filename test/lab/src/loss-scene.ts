// The virtual routers that losses at random are tried on, in the tests and in the measurements: sixty at 0.1 s, so that a
// quarter of a minute holds thousands of chances. The rarer a takeover is to be, the more of them.
import type { LossShare } from "./loss.ts";

export const lossShares: readonly LossShare[] = [
  { vrids: [1, 36], percent: 10 },
  { vrids: [37, 48], percent: 30 },
  { vrids: [49, 60], percent: 50 },
];

export const lossInstance = (vrid: number): string => `VI_${vrid}`;

export const vridsOf = ({ vrids: [first, last] }: LossShare): readonly number[] =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index);

export const lossConfig = (priority: number): string =>
  lossShares
    .flatMap(vridsOf)
    .map(
      (vrid) => `vrrp_instance ${lossInstance(vrid)} {
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
