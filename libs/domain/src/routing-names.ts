// Many routes and rules at once, as an operator would name them.

/** So many are named; the others are counted. */
const namedMax = 3;

/** `route 10.1.0.0/16 via 10.0.0.9`; `2 routes and 1 rule (…; …; …)`. */
export function routingNames({
  routes,
  rules,
}: {
  readonly routes: readonly string[];
  readonly rules: readonly string[];
}): string {
  const [first = "", ...others] = [...routes, ...rules];
  if (others.length === 0) return `${routes.length > 0 ? "route" : "rule"} ${first}`;
  const count = (number: number, what: string): string[] =>
    number === 0 ? [] : [`${number} ${what}${number === 1 ? "" : "s"}`];
  const named = [first, ...others].slice(0, namedMax);
  const more = routes.length + rules.length - named.length;
  const names = [...named, ...(more === 0 ? [] : [`and ${more} more`])].join("; ");
  return `${[...count(routes.length, "route"), ...count(rules.length, "rule")].join(" and ")} (${names})`;
}
