// Checks as the servers see them: the first packet of each connection, from tcpdump's lines.
import { serversNetwork } from "./crowd.ts";

export const tcpdumpCommand = [
  ...["tcpdump", "-i", "lo", "-n", "-tt", "-q", "-B", "65536", "-s", "96", "-Z", "root"],
  `tcp[tcpflags] & (tcp-syn|tcp-ack) == tcp-syn and dst net ${serversNetwork}`,
];

/** By server and port, in milliseconds since 1970, in their order. */
export type Attempts = ReadonlyMap<string, readonly number[]>;

export function readAttempts(text: string): Attempts {
  const found = new Map<string, number[]>();
  for (const line of text.split("\n")) {
    const match = /^(\d+\.\d+) IP \S+ > (\d+\.\d+\.\d+\.\d+\.\d+):/.exec(line);
    if (match?.[1] === undefined || match[2] === undefined) continue;
    const times = found.get(match[2]) ?? [];
    found.set(match[2], times);
    times.push(Number(match[1]) * 1000);
  }
  return found;
}
