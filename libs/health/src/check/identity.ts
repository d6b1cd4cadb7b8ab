// Which checks are the same: type and parameters, not times. A reload hands the state of one to the other.

/** When a check runs, and how often it may fail; and what a check of its type may change without being another one. */
const changeable: Readonly<Record<string, readonly string[]>> = {
  HTTP_GET: ["httpVersion", "closeConnection", "fastRecovery"],
  SSL_GET: ["httpVersion", "closeConnection", "fastRecovery"],
  UDP_CHECK: ["payload", "reply"],
  MISC_CHECK: ["timeout"],
  FILE_CHECK: ["weight", "reverse"],
};
const times = ["alpha", "delayLoop", "warmup", "retry", "delayBeforeRetry", "logAllFailures"];

/**
 * Equal texts: the same check, as keepalived compares them at a reload. `config`: a checker of the configuration, plain
 * data. Order of its fields does not count.
 */
export function checkIdentity<Config extends { readonly type: string }>(config: Config): string {
  const without = new Set([...times, ...(changeable[config.type] ?? [])]);
  const parameters = Object.entries(config).filter(([name, value]) => value !== undefined && !without.has(name));
  return JSON.stringify(parameters.map(([name, value]) => [name, inOrder(value)]).sort(byName));
}

const byName = ([a]: readonly unknown[], [b]: readonly unknown[]): number => (String(a) < String(b) ? -1 : 1);

function inOrder(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inOrder);
  if (typeof value !== "object" || value === null) return value;
  return Object.entries(value)
    .filter(([, each]) => each !== undefined)
    .map(([name, each]) => [name, inOrder(each)])
    .sort(byName);
}
