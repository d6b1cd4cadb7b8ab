// Requests of a client through a virtual server of two routers, carried by nftables: processes are killed, a server dies and
// comes back, a router dies.
import { createLab, type Lab, type LabProcess, virtualAddress, waitFor } from "@baton/lab";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { backupConf, masterConf, type Pair, quick, startPair, stopPair } from "./pair.ts";

const held: { lab?: Lab; pair?: Pair } = {};
beforeAll(async () => {
  held.lab = await createLab({ name: "balancing", routers: ["r1", "r2", "s1", "s2"] });
});
afterEach(async () => {
  await stopPair(held.pair);
  delete held.pair;
});
afterAll(() => held.lab?.destroy());

const balancing = `
virtual_server ${virtualAddress} 80 {
  delay_loop 0.2
  warmup 0
  lb_algo rr
  lb_kind NAT
  protocol TCP
  real_server 172.16.1.3 8080 {
    TCP_CHECK {
      connect_timeout 1
      retry 1
      delay_before_retry 0.1
    }
  }
  real_server 172.16.1.4 8080 {
    TCP_CHECK {
      connect_timeout 1
      retry 1
      delay_before_retry 0.1
    }
  }
}
`;

const server = (name: string): string =>
  `require("net").createServer((s) => { s.on("error", () => s.destroy()); s.end("${name}"); }).listen(8080)`;

/** One connection after the other; after each that is over a line: who answered, or what went wrong. */
const client = `
const { connect } = require("net");
const once = () => {
  let said = "", wrong = "";
  const socket = connect({ host: "${virtualAddress}", port: 80, timeout: 3000 });
  socket.on("data", (data) => { said += data; });
  socket.on("timeout", () => socket.destroy(new Error("timeout")));
  socket.on("error", (error) => { wrong = error.code ?? error.message; });
  socket.on("close", () => { console.log(said || "! " + wrong); setTimeout(once, 10); });
};
once();
`;

interface Requests {
  /** Answers since the last `mark`, in their order. */
  since(): string[];
  mark(): void;
  /** So many more answers, by all of these servers and nobody else. */
  answered(count: number, by: readonly string[]): Promise<unknown>;
}

function readRequests(process: LabProcess): Requests {
  let from = 0;
  const all = (): string[] => process.log().split("\n").slice(0, -1);
  const since = (): string[] => all().slice(from);
  return {
    since,
    mark: () => {
      from = all().length;
    },
    answered: (count, by) =>
      waitFor(`answers of ${by.join(" and ")}`, () => {
        const last = all().slice(from).slice(-count);
        return last.length === count && [...new Set(last)].toSorted().join() === by.join();
      }),
  };
}

const failed = (answers: readonly string[]): string[] => answers.filter((each) => each.startsWith("!"));

test("requests are answered through deaths of processes, of a server and of a router", async () => {
  const { lab } = held;
  if (lab === undefined) throw new Error("there is no lab");
  for (const name of ["r1", "r2"]) await lab.router(name).exec("echo 1 > /proc/sys/net/ipv4/ip_forward");
  const serve = (name: "s1" | "s2") => lab.router(name).spawn("server", [process.execPath, "-e", server(name)]);
  const [first] = [await serve("s1"), await serve("s2")];
  const pair = await startPair(lab, {
    r1: `${masterConf(quick(0.3))}${balancing}`,
    r2: `${backupConf(quick(0.3))}${balancing}`,
    options: { settings: "load_balancer: nftables\n" },
  });
  held.pair = pair;
  const { r1, r2 } = pair;
  const requests = readRequests(await lab.client.spawn("requests", [process.execPath, "-e", client]));
  await requests.answered(10, ["s1", "s2"]);

  // Nobody flaps, nothing is lost.
  requests.mark();
  const news = (await r1.events()).length;
  for (const service of ["health", "balancer", "nats", "balancer", "health"]) {
    const pid = r1.servicePid(service);
    r1.killService(service);
    await r1.waitRestarted(service, pid);
    await requests.answered(10, ["s1", "s2"]);
  }
  expect(failed(requests.since())).toEqual([]);
  const flaps = (await r1.events()).slice(news).filter(({ aggregate }) => aggregate.kind === "virtual-server");
  expect(flaps.map(({ event }) => event.type)).toEqual([]);

  // A server that has died is asked no more once it is out.
  await first?.kill();
  await requests.answered(10, ["s2"]);
  requests.mark();
  await requests.answered(30, ["s2"]);
  expect(failed(requests.since())).toEqual([]);
  await serve("s1");
  await requests.answered(10, ["s1", "s2"]);

  // The backup, whose checks are its own, has found the server again, too: its table is full before it is master.
  await waitFor("the backup's table to be full", async () => {
    const { stdout } = await lab.router("r2").exec("nft list table ip baton_lb");
    return stdout.includes("172.16.1.3") && stdout.includes("172.16.1.4");
  });
  await lab.router("r1").killEverything();
  await r2.waitState("master");
  await requests.answered(10, ["s1", "s2"]);
  requests.mark();
  await requests.answered(30, ["s1", "s2"]);
  expect(failed(requests.since())).toEqual([]);
});
