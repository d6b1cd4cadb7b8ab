// Inside the machine: a client that asks for a page several times a second, each time by a new connection and from the next
// of its addresses, whatever became of the question before. A line of JSON for each answer, or for none.
//   node client-main.js ADDRESS EVERY-MS SOURCE…
import { get } from "node:http";
import type { Asked } from "./traffic.ts";

const [address = "", everyMs = "", ...sources] = process.argv.slice(2);

const tell = (asked: Asked): void => void process.stdout.write(`${JSON.stringify(asked)}\n`);

/** Longer than a retransmitted SYN needs. */
const patienceMs = 10_000;

function ask(localAddress: string): void {
  const at = Date.now();
  const end = (more: Partial<Asked>): void => tell({ at, milliseconds: Date.now() - at, ...more });
  const request = get({ host: address, localAddress, agent: false, timeout: patienceMs }, (response) => {
    let body = "";
    response.setEncoding("utf8").on("data", (text: string) => {
      body += text;
    });
    response.on("end", () => end({ answer: body.trimEnd() }));
    response.on("error", (error) => end({ error: error.message }));
  });
  request.on("timeout", () => request.destroy(new Error("timeout")));
  request.on("error", (error) => end({ error: error.message }));
}

const count = { asked: 0 };
setInterval(() => {
  ask(sources[count.asked % sources.length] ?? "");
  count.asked += 1;
}, Number(everyMs));
