// Log lines: one JSON object each, made here and written by the backstage thread.
import type { ServiceName } from "@baton/domain";
import type { Log } from "./api.ts";
import { type Clock, formatWall } from "./clock.ts";

export interface LogOptions {
  readonly service: ServiceName;
  readonly node: string;
  readonly clock: Clock;
  readonly write: (line: string) => void;
}

export type LogLevel = "info" | "warn" | "error";
const reserved = new Set(["time", "level", "node", "service", "message"]);

export function createLog(options: LogOptions): Log {
  const at =
    (level: LogLevel) =>
    (message: string, fields?: Record<string, unknown>): void =>
      options.write(formatLine(options, level, message, fields));
  return { info: at("info"), warn: at("warn"), error: at("error") };
}

export function formatLine(
  { service, node, clock }: Omit<LogOptions, "write">,
  level: LogLevel,
  message: string,
  fields: Record<string, unknown> = {},
): string {
  const line: Record<string, unknown> = { time: formatWall(clock.wall()), level, node, service, message };
  for (const [name, value] of Object.entries(fields)) line[reserved.has(name) ? `${name}_` : name] = value;
  return stringify(line);
}

/** JSON of anything: a log call must never throw. */
function stringify(value: Record<string, unknown>): string {
  const ancestors: object[] = [];
  try {
    return JSON.stringify(value, function (this: unknown, _key, item: unknown) {
      if (typeof item === "bigint") return item.toString();
      if (item instanceof Error) {
        const cause = item.cause instanceof Error ? { cause: item.cause.message } : {};
        return { name: item.name, error: item.message, stack: item.stack, ...cause };
      }
      if (item instanceof Map) return Object.fromEntries(item);
      if (item instanceof Set) return [...item];
      if (typeof item !== "object" || item === null) return item;
      // `this` is the object that holds the item: cut the path back to it, then see whether the item is on it.
      while (ancestors.length > 0 && ancestors.at(-1) !== this) ancestors.pop();
      if (ancestors.includes(item)) return "[circular]";
      ancestors.push(item);
      return item;
    });
  } catch (error) {
    return JSON.stringify({ level: "error", message: String(value.message), unloggable: String(error) });
  }
}
