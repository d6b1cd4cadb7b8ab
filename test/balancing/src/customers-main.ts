// Customers of a web server who must not notice anything: some come and go, each with a new connection, others stay and ask
// again and again on the connection that they have. Tells by lines of JSON what was answered, and each single disappointment.
//   node customers-main.js WISHES     (JSON: `CustomerWishes`)
import { connect, type Socket } from "node:net";
import type { CustomerWishes, Disappointment, Tally } from "./customers.ts";

const wishes = JSON.parse(process.argv[2] ?? "") as CustomerWishes;
const sources = wishes.sources ?? [undefined];
const tally: { answered: Record<string, number>; staying: Record<string, number> } = { answered: {}, staying: {} };
const turn = { next: 0 };

const say = (line: Tally | Disappointment): void => void process.stdout.write(`${JSON.stringify(line)}\n`);

function count(counts: Record<string, number>, name: string, by: number): void {
  counts[name] = (counts[name] ?? 0) + by;
}

const question = (last: boolean): string =>
  `GET / HTTP/1.1\r\nHost: ${wishes.host}\r\nConnection: ${last ? "close" : "keep-alive"}\r\n\r\n`;

/** The name of the server is the whole body. */
const nameIn = (text: string): string | undefined => /\r\n\r\n(\w+)\n$/.exec(text)?.[1];

function open(): Socket {
  const localAddress = sources[turn.next % sources.length];
  turn.next += 1;
  const { host, port } = wishes;
  const socket = connect({ host, port, ...(localAddress === undefined ? {} : { localAddress }) });
  return socket.setEncoding("latin1").setNoDelay(true);
}

/** One question and its answer, on a connection of its own. */
function comeAndGo(): void {
  const since = Date.now();
  const heard = { text: "", error: "" };
  const socket = open();
  socket.setTimeout(wishes.patienceMs, () => socket.destroy(new Error("silence")));
  socket.on("connect", () => socket.write(question(true)));
  socket.on("data", (text) => {
    heard.text += text;
  });
  socket.on("error", (error) => {
    heard.error = error.message;
  });
  socket.on("close", () => {
    const server = nameIn(heard.text);
    if (server === undefined || heard.error !== "") {
      say({ at: Date.now(), since, customer: "coming", server, error: heard.error || "closed without an answer" });
    } else count(tally.answered, server, 1);
    setTimeout(comeAndGo, wishes.pauseMs);
  });
}

/** Asks every so often on the same connection; it is never the customer who ends it. */
function stay(everyMs: number): void {
  const visit = { since: Date.now(), server: undefined as string | undefined, text: "", error: "" };
  const socket = open();
  const silence = setTimeout(() => socket.destroy(new Error("silence")), wishes.patienceMs);
  const ask = (): void => {
    visit.since = Date.now();
    visit.text = "";
    silence.refresh();
    socket.write(question(false));
  };
  socket.on("connect", ask);
  socket.on("data", (text) => {
    visit.text += text;
    const name = nameIn(visit.text);
    if (name === undefined) return;
    if (visit.server === undefined) count(tally.staying, name, 1);
    else if (visit.server !== name) visit.error = `now it is ${name} that answers`;
    visit.server = name;
    count(tally.answered, name, 1);
    visit.text = "";
    // Nothing is asked, so there is no silence: its time begins with the next question.
    silence.refresh();
    setTimeout(() => {
      if (!socket.destroyed) ask();
    }, everyMs);
  });
  socket.on("error", (error) => {
    visit.error = error.message;
  });
  socket.on("close", () => {
    clearTimeout(silence);
    const { since, server } = visit;
    if (server !== undefined) count(tally.staying, server, -1);
    say({ at: Date.now(), since, customer: "staying", server, error: visit.error || "closed by the server" });
    setTimeout(() => stay(everyMs), 500);
  });
}

for (let left = wishes.coming; left > 0; left--) setTimeout(comeAndGo, (left * wishes.pauseMs) / wishes.coming);
for (const everyMs of wishes.staying) stay(everyMs);
setInterval(() => {
  say({ at: Date.now(), ...tally });
  tally.answered = {};
}, 200);
