// Routes and rules as a kernel keeps them, as far as a test needs it: what is there twice is refused, and what somebody
// else does or takes away is told.
import type {
  ChangeResult,
  RouteInfo,
  RouteSpec,
  RoutingChange,
  RoutingEvent,
  RoutingTables,
  RuleSpec,
} from "@baton/linux";

const same = (a: unknown, b: unknown): boolean => textOf(a) === textOf(b);

const textOf = (value: unknown): string =>
  JSON.stringify(value, (_, part: unknown) => (typeof part === "bigint" ? `${part}n` : part));

const done: ChangeResult = { ok: true };
const refusal = (code: string): ChangeResult => ({ ok: false, code, message: "in memory" });

export class InMemoryRouting {
  #routes: RouteInfo[] = [];
  #rules: RuleSpec[] = [];
  /** What the kernel refuses, and why. */
  refuses: ((change: RoutingChange) => string | undefined) | undefined;
  /** Every change that was asked for, in order. */
  readonly asked: RoutingChange[] = [];

  list(protocols: readonly number[]): RoutingTables {
    const wanted = new Set(protocols);
    return {
      routes: this.#routes.filter(({ protocol }) => wanted.has(protocol)),
      rules: this.#rules.filter(({ protocol }) => wanted.has(protocol)),
    };
  }

  change(batch: readonly RoutingChange[]): ChangeResult[] {
    this.asked.push(...batch);
    return batch.map((change) => {
      const refused = this.refuses?.(change);
      return refused === undefined ? this.#carryOut(change) : refusal(refused);
    });
  }

  #carryOut(change: RoutingChange): ChangeResult {
    switch (change.op) {
      case "add-route": {
        const info = infoOf(change.route);
        if (this.#routes.some((route) => same(route, info))) return refusal("EEXIST");
        this.#routes.push(info);
        return done;
      }
      case "add-rule":
        if (this.#rules.some((rule) => same(rule, change.rule))) return refusal("EEXIST");
        this.#rules.push(change.rule);
        return done;
      case "delete-route": {
        const before = this.#routes.length;
        this.#routes = this.#routes.filter((route) => !same(route, change.route));
        return this.#routes.length < before ? done : refusal("ESRCH");
      }
      case "delete-rule": {
        const before = this.#rules.length;
        this.#rules = this.#rules.filter((rule) => !same(rule, change.rule));
        return this.#rules.length < before ? done : refusal("ENOENT");
      }
    }
  }

  /** Somebody else takes away what fits; returns what the kernel tells of it. */
  takeAway(fits: (object: RouteInfo | RuleSpec) => boolean): RoutingEvent[] {
    const routes = this.#routes.filter(fits);
    const rules = this.#rules.filter(fits);
    this.#routes = this.#routes.filter((route) => !routes.includes(route));
    this.#rules = this.#rules.filter((rule) => !rules.includes(rule));
    return [
      ...routes.map((route) => ({ type: "route-removed" as const, route, replaced: false })),
      ...rules.map((rule) => ({ type: "rule-removed" as const, rule })),
    ];
  }

  /** As a person would list them: destinations and preferences. */
  names(): string[] {
    return [
      ...this.#routes.map(({ destination: { address, length } }) => `${address}/${length}`),
      ...this.#rules.map(({ preference }) => `rule ${preference}`),
    ];
  }
}

const infoOf = (spec: RouteSpec): RouteInfo => ({
  family: spec.family,
  type: spec.type,
  destination: spec.destination,
  source: spec.source,
  preferredSource: spec.preferredSource,
  ways: spec.nextHops.length > 0 ? spec.nextHops : [spec.way],
  table: spec.table,
  protocol: spec.protocol,
  scope: spec.scope ?? 0,
  tos: spec.tos,
  metric: spec.metric ?? 0,
  metrics: spec.metrics,
});
