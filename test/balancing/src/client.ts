// Clients of a balanced address. They live in this process: whoever calls has entered the clients' namespace.
import { createSocket } from "node:dgram";
import { connect, type Socket } from "node:net";

export interface Target {
  readonly host: string;
  readonly port: number;
  /** The client's address; undefined: the kernel's choice. */
  readonly from?: string | undefined;
  /** Of datagrams: two from one port are one flow. */
  readonly fromPort?: number | undefined;
}

export interface Answer {
  /** Name of the server. */
  readonly server: string;
  /** Where the server sees the client. */
  readonly seen: string;
}

const parse = (line: string): Answer => {
  const [server = "", seen = ""] = line.trim().split(" ");
  return { server, seen };
};

/** A connection that lives. */
export interface Held extends Answer {
  /** Whether what is sent now comes back. */
  echoes(): Promise<boolean>;
  /** True as long as neither side has closed it. */
  readonly open: boolean;
  close(): void;
}

/** Rejects with the error of the socket: ECONNREFUSED, ETIMEDOUT after 5 s. */
export function hold(target: Target): Promise<Held> {
  const { host, port, from } = target;
  const socket = connect({ host, port, ...(from === undefined ? {} : { localAddress: from }) });
  socket.setEncoding("latin1");
  socket.setTimeout(5000, () => socket.destroy(new Error(`ETIMEDOUT ${host}:${port}`)));
  return new Promise((resolve, reject) => {
    socket.on("error", reject);
    socket.once("data", (line) => {
      socket.setTimeout(0);
      resolve(heldOf(socket, parse(String(line))));
    });
    socket.once("end", () => reject(new Error("closed without a word")));
  });
}

function heldOf(socket: Socket, answer: Answer): Held {
  const state = { open: true, waiting: [] as ((came: boolean) => void)[] };
  const settle = (came: boolean): void => {
    for (const resolve of state.waiting.splice(0)) resolve(came);
  };
  socket.on("data", () => settle(true));
  socket.on("close", () => {
    state.open = false;
    settle(false);
  });
  return {
    ...answer,
    get open() {
      return state.open;
    },
    echoes: () => {
      if (!state.open) return Promise.resolve(false);
      const came = new Promise<boolean>((resolve) => {
        const late = setTimeout(() => resolve(false), 5000);
        state.waiting.push((echoed) => {
          clearTimeout(late);
          resolve(echoed);
        });
      });
      socket.write("still there?");
      return came;
    },
    close: () => socket.destroy(),
  };
}

/** Connects, reads who answers, and goes. */
export async function ask(target: Target): Promise<Answer> {
  const held = await hold(target);
  held.close();
  return held;
}

/** One datagram, sent again until it is answered. */
export function askByDatagram({ host, port, from, fromPort }: Target): Promise<Answer> {
  const socket = createSocket(host.includes(":") ? "udp6" : "udp4");
  return new Promise<Answer>((resolve, reject) => {
    const send = (): void => socket.send("who?", port, host);
    const again = setInterval(send, 500);
    const late = setTimeout(() => reject(new Error(`no answer from ${host}:${port}`)), 5000);
    const end = (): void => {
      clearInterval(again);
      clearTimeout(late);
      socket.close();
    };
    socket.on("error", reject);
    socket.on("message", (line) => {
      end();
      resolve(parse(String(line)));
    });
    socket.bind(fromPort ?? 0, from, send);
  });
}

/** Does `act` `count` times, up to `atOnce` at a time. The results are in the order of their numbers. */
export async function many<T>(count: number, act: (number: number) => Promise<T>, atOnce = 50): Promise<T[]> {
  const results: T[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) {
      const number = next++;
      results[number] = await act(number);
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, count) }, worker));
  return results;
}

/** How many answers came from each server, by name. */
export function tally(answers: readonly Answer[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { server } of answers) counts[server] = (counts[server] ?? 0) + 1;
  return Object.fromEntries(Object.entries(counts).sort());
}
