// Inside the machine: what a running Baton's table survives. A reload leaves a server that stays as it was, with what the
// kernel has counted of it; so does the end of single processes; and what somebody else changes is put back.
import type { DumpedService } from "@baton/ipvs";
import { command, until } from "../scene/network.ts";
import type { RunningBaton } from "./running-baton.ts";

const followed = (host: string): string => `track_file down${host} {\nfile /run/down${host}\nweight 0\n}\n`;
const server = (host: string, weight: number): string =>
  `real_server 192.0.2.${host} 80 {\nweight ${weight}\nFILE_CHECK {\ntrack_file down${host}\nweight 0\n}\n}\n`;
const unchecked = "real_server 192.0.2.13 80 {\n}\n";
/** Beside the one whose servers change. */
const other =
  "virtual_server 192.0.2.2 80 {\nlb_algo rr\nlb_kind DR\nprotocol TCP\nreal_server 192.0.2.14 80 {\n}\n}\n";
const fileOf = (lines: string, ...servers: string[]): string =>
  `${followed("11")}${followed("12")}virtual_server 192.0.2.1 80 {\ndelay_loop 6\nlb_algo rr\nlb_kind DR\nprotocol TCP\n${lines}\n${servers.join("")}}\n${other}`;

/** The service, and servers by the end of their address: the connections that the kernel has counted. */
type Counts = Readonly<Record<string, number>>;

const isOurs = ({ key }: DumpedService): boolean => key.kind === "address" && key.address === "192.0.2.1";

function countsOf(baton: RunningBaton): Counts {
  const service = baton.table().find(isOurs);
  const servers = (service?.destinations ?? []).map(
    ({ address, traffic }) => [address.replace("192.0.2.", ""), traffic.connections] as const,
  );
  return { service: service?.traffic.connections ?? -1, ...Object.fromEntries(servers) };
}

const serversOf = (baton: RunningBaton): string =>
  Object.entries(countsOf(baton))
    .filter(([name]) => name !== "service")
    .map(([name]) => name)
    .sort()
    .join();

/** `turn`: lets hosts answer or not. Needs 192.0.2.1 to be there, with somebody who listens. Hands back what went wrong. */
export async function meddle(baton: RunningBaton, turn: (...up: string[]) => void): Promise<string[]> {
  const faults: string[] = [];
  const expectCounts = (when: string, wanted: Counts): void => {
    const found = countsOf(baton);
    const asWanted = Object.entries(wanted).every(([name, count]) => found[name] === count);
    if (!asWanted) faults.push(`${when}: connections ${JSON.stringify(found)} instead of ${JSON.stringify(wanted)}`);
  };
  const inside = (line: string): Promise<string> => command(`ip netns exec ${baton.name} ${line}`);
  const servers = (when: string, wanted: string): Promise<unknown> =>
    until(`${when}: servers ${wanted}`, () => serversOf(baton) === wanted).catch((error: unknown) =>
      faults.push(`${String(error)}: ${serversOf(baton)}`),
    );

  await baton.reload(fileOf("", server("11", 1), server("12", 1)));
  await servers("a reload", "11,12");
  await inside("bash -c 'for i in 1 2 3 4; do : <>/dev/tcp/192.0.2.1/80; done'");
  const counted = { service: 4, 11: 2, 12: 2 };
  // The kernel adds up every two seconds. Of what is made anew it has counted none.
  await until("connections to be counted", () => countsOf(baton).service === 4);
  expectCounts("connections were made", counted);

  // Everything that can be changed in place is.
  await baton.reload(fileOf("lb_algo wlc\npersistence_timeout 50", server("11", 1), server("12", 7), unchecked));
  await servers("a reload with one server more", "11,12,13");
  expectCounts("a reload with one server more", counted);

  await baton.kill("balancer");
  expectCounts("the balancer was killed", counted);
  turn("12");
  await baton.waitReady();
  await servers("a server failed while there was no balancer", "12,13");
  expectCounts("the balancer has come back", { service: 4, 12: 2 });
  turn("11", "12");
  await servers("it has returned", "11,12,13");
  return [...faults, ...(await drift(baton, inside))];
}

/** One of each kind of change. */
const drifts = [
  "-D -t 192.0.2.2:80",
  "-d -t 192.0.2.1:80 -r 192.0.2.12:80",
  "-a -t 192.0.2.1:80 -r 192.0.2.77:80 -g",
  "-e -t 192.0.2.1:80 -r 192.0.2.11:80 -g -w 3",
  "-E -t 192.0.2.1:80 -s sh",
];

async function drift(baton: RunningBaton, inside: (line: string) => Promise<string>): Promise<string[]> {
  const before = baton.rules().join("\n");
  for (const words of drifts) await inside(`ipvsadm ${words}`);
  try {
    await until("what somebody else changed is put back", () => baton.rules().join("\n") === before);
    return [];
  } catch (error) {
    return [`${String(error)}: ${baton.rules().join("; ")}`];
  }
}
