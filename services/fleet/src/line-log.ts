// Log lines of the hub: one JSON object a line, as the services of a node write them.
import type { Writable } from "node:stream";

export interface LineLog {
  info(message: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
  error(message: string, fields?: Readonly<Record<string, unknown>>): void;
}

export function createLineLog(stream: Pick<Writable, "write">, wallTime: () => string): LineLog {
  const line =
    (level: string) =>
    (message: string, fields: Readonly<Record<string, unknown>> = {}) => {
      const plain = Object.entries(fields).map(([name, value]) => [
        name,
        value instanceof Error ? value.message : value,
      ]);
      stream.write(
        `${JSON.stringify({ time: wallTime(), level, service: "fleet", message, ...Object.fromEntries(plain) })}\n`,
      );
    };
  return { info: line("info"), warn: line("warn"), error: line("error") };
}
