// From what the kernel has to what it is to have: the commands in between, in an order in which a service that can serve
// never stands without a server. Level-triggered: the next dump and the same wish give an empty plan.
import { type Destination, type DumpedService, destinationName, type Operation, serviceName } from "./model.ts";
import { isSameDestination, isSameService, type ServiceTable, type WantedService } from "./table.ts";

/**
 * What is ours in the kernel, by `serviceName`: each as it was left there; undefined: ours, but nobody is sure of what is in
 * it (after a restart, or after a command that failed). All other services are somebody else's.
 */
export type OwnServices = ReadonlyMap<string, WantedService | undefined>;

export interface PlanInput {
  readonly wanted: ServiceTable;
  /** Services that stay as they are, whatever that is: see `WantedTable`. */
  readonly unknown: ReadonlySet<string>;
  readonly own: OwnServices;
  /** All of the kernel's. */
  readonly dumped: readonly DumpedService[];
  /** `lvs_flush`: the services of everybody go first. */
  readonly flush?: boolean;
}

export interface Plan {
  readonly operations: readonly Operation[];
  /** Ours once all operations have been carried out; of those that failed see `doubt`. */
  readonly own: OwnServices;
  /** Services and destinations of ours that somebody else has made, changed or removed since. */
  readonly drift: number;
  /** Services that are left alone: not ours, and not wanted. */
  readonly foreign: number;
}

/**
 * Linear in what is wanted and dumped. A wanted service that is there already is taken over as it is and made right;
 * each attribute of a service can be changed in place, which keeps its destinations and their connections.
 */
export function plan(input: PlanInput): Plan {
  const { wanted, unknown } = input;
  const before = new Map(input.dumped.map((each) => [serviceName(each.key), each]));
  const drift = countDrift(input.own, before);
  const operations: Operation[] = input.flush === true ? [{ kind: "flush" }] : [];
  const dumped = input.flush === true ? new Map<string, DumpedService>() : before;
  const own = new Map<string, WantedService | undefined>();
  for (const [name, service] of wanted) {
    if (unknown.has(name)) continue;
    planService(service, dumped.get(name), operations);
    own.set(name, service);
  }
  let foreign = 0;
  // What is not wanted any more goes last: what replaces it is there by then.
  for (const [name, service] of dumped) {
    if (own.has(name)) continue;
    if (!input.own.has(name)) foreign += unknown.has(name) ? 0 : 1;
    else if (unknown.has(name)) own.set(name, input.own.get(name));
    else operations.push({ kind: "delete-service", service: service.key });
  }
  return { operations, own, drift, foreign };
}

function planService(wanted: WantedService, dumped: DumpedService | undefined, operations: Operation[]): void {
  if (dumped === undefined) operations.push({ kind: "new-service", service: withoutDestinations(wanted) });
  else if (!isSameService(wanted, dumped)) {
    operations.push({ kind: "set-service", service: withoutDestinations(wanted) });
  }
  planDestinations(wanted, dumped, operations);
}

/** Whoever serves from now on comes first; who serves no more, or less, comes after; who leaves, last. */
function planDestinations(wanted: WantedService, dumped: DumpedService | undefined, operations: Operation[]): void {
  const service = wanted.key;
  const present = new Map((dumped?.destinations ?? []).map((each) => [destinationName(each), each]));
  const rest: Operation[] = [];
  for (const destination of wanted.destinations) {
    const name = destinationName(destination);
    const before = present.get(name);
    present.delete(name);
    if (before !== undefined && isSameDestination(before, destination)) continue;
    const kind = before === undefined ? "new-destination" : "set-destination";
    const list = destination.weight > 0 ? operations : rest;
    list.push({ kind, service, destination: onlyDestination(destination) });
  }
  operations.push(...rest);
  for (const { family, address, port } of present.values()) {
    operations.push({ kind: "delete-destination", service, destination: { family, address, port } });
  }
}

/** A command carries nothing beyond what it needs. */
const withoutDestinations = ({ key, scheduler, flags, timeoutSeconds, netmask, engine }: WantedService) => ({
  key,
  scheduler,
  flags,
  timeoutSeconds,
  netmask,
  engine,
});

const onlyDestination = (destination: Destination): Destination => ({
  family: destination.family,
  address: destination.address,
  port: destination.port,
  forwarding: destination.forwarding,
  weight: destination.weight,
  upperThreshold: destination.upperThreshold,
  lowerThreshold: destination.lowerThreshold,
});

/** Against what was left in the kernel, not against what is wanted now: a change of the wish is no drift. */
function countDrift(own: OwnServices, dumped: ReadonlyMap<string, DumpedService>): number {
  let drift = 0;
  for (const [name, left] of own) {
    if (left === undefined) continue;
    const now = dumped.get(name);
    if (now === undefined) drift++;
    else drift += (isSameService(left, now) ? 0 : 1) + countDestinationDrift(left, now);
  }
  return drift;
}

function countDestinationDrift(left: WantedService, dumped: DumpedService): number {
  const present = new Map(dumped.destinations.map((each) => [destinationName(each), each]));
  let drift = 0;
  for (const destination of left.destinations) {
    const name = destinationName(destination);
    const now = present.get(name);
    if (now === undefined || !isSameDestination(destination, now)) drift++;
    present.delete(name);
  }
  return drift + present.size;
}

/** `own` after some of the plan's operations have failed: the next plan looks at these services as at a stranger's work. */
export function doubt(own: OwnServices, failed: readonly Operation[]): OwnServices {
  const doubted = new Map(own);
  for (const operation of failed) {
    if (operation.kind === "flush") continue;
    const named = operation.kind === "delete-service" || "destination" in operation;
    const key = named ? operation.service : operation.service.key;
    doubted.set(serviceName(key), undefined);
  }
  return doubted;
}

/** After a restart: names that were kept, and nothing known of what is in them. */
export const ownByName = (names: Iterable<string>): OwnServices =>
  new Map([...names].map((name): [string, undefined] => [name, undefined]));

/**
 * How the end leaves the kernel: `keep` (-I) as it is; `no`: destinations first, then their services; `services`: whole
 * services of ours; `all`: everybody's at once (`lvs_flush_on_stop`).
 */
export type StopMode = "keep" | "no" | "services" | "all";

/** The commands of the end. What is not ours is touched by `all` alone. */
export function planStop(own: OwnServices, dumped: readonly DumpedService[], mode: StopMode): Operation[] {
  if (mode === "keep") return [];
  if (mode === "all") return [{ kind: "flush" }];
  return dumped
    .filter(({ key }) => own.has(serviceName(key)))
    .flatMap(({ key, destinations }): Operation[] => [
      ...(mode === "no" ? destinations : []).map(
        ({ family, address, port }): Operation => ({
          kind: "delete-destination",
          service: key,
          destination: { family, address, port },
        }),
      ),
      { kind: "delete-service", service: key },
    ]);
}
