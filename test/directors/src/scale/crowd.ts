// Thousands of real servers on one machine: addresses that one process answers on, and doors that can be closed one by one.

import { fileURLToPath } from "node:url";

/** The program that answers as all of them. */
export const serversMain = fileURLToPath(new URL("servers-main.js", import.meta.url));
/** All of them are this machine's own: `ip route add local`. */
export const serversNetwork = "10.200.0.0/15";
export const crowdPort = 8080;
export const doorPort = 9000;
export const delayLoopSeconds = 6;
/** What is closed during the measurement, one after the other. */
export const doorCount = 24;
/** Of a door: the third failed attempt is the verdict. */
export const doorTimes = { delayLoop: 1, retry: 2, delayBeforeRetry: 0.3 } as const;

/** As 10.200.1.7. */
export const serverAddress = (index: number): string => `10.200.${index >> 8}.${index & 255}`;
export const doorAddress = (index: number): string => `10.201.0.${index + 1}`;
export const virtualAddress = (index: number): string => `10.100.${index >> 8}.${index & 255}`;
/** The virtual server of a door alone. */
export const doorService = (index: number): string => `10.101.0.${index + 1}`;
/** Who comes with the reload. */
export const addedServer = "10.201.255.1";

const check = "TCP_CHECK {\nconnect_timeout 3\n}\n";
const server = (address: string, port: number, lines: string): string =>
  `real_server ${address} ${port} {\nweight 1\n${lines}}\n`;
const virtual = (address: string, delayLoop: number, servers: readonly string[]): string =>
  `virtual_server ${address} 80 {\ndelay_loop ${delayLoop}\nlb_algo rr\nlb_kind NAT\nprotocol TCP\n${servers.join("")}}\n`;

export interface Crowd {
  /** Of two real servers each. */
  readonly virtualServers: number;
  /** The last one has three. */
  readonly isOneMore?: boolean;
  /** Doors are always checked. */
  readonly isChecked: boolean;
}

/** The crowd, and the doors. */
export function crowdConfig({ virtualServers: count, isOneMore = false, isChecked }: Crowd): string {
  const lines = isChecked ? check : "";
  const crowd = Array.from({ length: count }, (_none, at) => {
    const own = [2 * at, 2 * at + 1].map((index) => server(serverAddress(index), crowdPort, lines));
    const more = isOneMore && at === count - 1 ? [server(addedServer, crowdPort, lines)] : [];
    return virtual(virtualAddress(at), delayLoopSeconds, [...own, ...more]);
  });
  const { delayLoop, retry, delayBeforeRetry } = doorTimes;
  const times = `TCP_CHECK {\nconnect_timeout 3\nretry ${retry}\ndelay_before_retry ${delayBeforeRetry}\n}\n`;
  const doors = Array.from({ length: doorCount }, (_none, at) =>
    virtual(doorService(at), delayLoop, [server(doorAddress(at), doorPort, times)]),
  );
  return [...crowd, ...doors].join("");
}
