// What became of customers who must not notice anything, read from what their process has said.
import { fileURLToPath } from "node:url";

export interface CustomerWishes {
  readonly host: string;
  readonly port: number;
  /** Their addresses, one after the other; without any the kernel's choice. */
  readonly sources?: readonly string[];
  /** So many at a time that come, ask once and go. */
  readonly coming: number;
  /** Between two visits of each of those. */
  readonly pauseMs: number;
  /** One each that stays on its connection: how long it waits before it asks again. */
  readonly staying: readonly number[];
  /** Without an answer for so long is disappointed. */
  readonly patienceMs: number;
}

/** Each 200 ms. Times are milliseconds of the wall clock. */
export interface Tally {
  readonly at: number;
  /** Answers since the last time, by server. */
  readonly answered: Readonly<Record<string, number>>;
  /** Who stays, by server. */
  readonly staying: Readonly<Record<string, number>>;
}

export interface Disappointment {
  readonly at: number;
  /** When the question was asked, or the connection. */
  readonly since: number;
  readonly customer: "coming" | "staying";
  /** Whoever has answered on this connection. */
  readonly server: string | undefined;
  readonly error: string;
}

/** To be run by node with the wishes as JSON. */
export const customersMain = fileURLToPath(new URL("../dist/customers-main.js", import.meta.url));
/** To be run by node with a name and a port: a web server that answers with its name and leaves connections open. */
export const webServerMain = fileURLToPath(new URL("../dist/web-server-main.js", import.meta.url));

export interface Customers {
  readonly tallies: readonly Tally[];
  readonly disappointments: readonly Disappointment[];
  /** Takes in what was said. */
  hear(line: string): void;
  /** Who has answered questions in the time since. */
  answeredSince(at: number): Record<string, number>;
}

export function readCustomers(): Customers {
  const tallies: Tally[] = [];
  const disappointments: Disappointment[] = [];
  return {
    tallies,
    disappointments,
    hear(line) {
      const said = JSON.parse(line) as Tally | Disappointment;
      if ("customer" in said) disappointments.push(said);
      else tallies.push(said);
    },
    answeredSince(at) {
      const sums: Record<string, number> = {};
      // A tally tells of the 200 ms before it: the first after `at` is of both sides.
      for (const { answered } of tallies.filter((tally) => tally.at > at).slice(1)) {
        for (const [name, count] of Object.entries(answered)) sums[name] = (sums[name] ?? 0) + count;
      }
      return sums;
    },
  };
}
