// The part of `baton status` about load balancing: a line for each virtual server where they are few, what is wrong with
// them always, and with thousands of them nothing else. Pure.
import type { BalancerState, CheckerState, NodeStatus, PoolServerState, VirtualServerState } from "@baton/contracts";
import { span, table } from "./words.ts";

/** More virtual servers than this, or troubles of them, do not fit on a screen. */
const shownMax = 20;
/** A probe that begins so much after its time is late: health has more to do than it can. */
const lateMicros = 1_000_000;
const lateShownMax = 5;

/** `all`: every virtual server and real server, however many. `now`: CLOCK_BOOTTIME in microseconds. */
export function balancingLines(status: NodeStatus, now: number, all: boolean): string[] {
  const { virtualServers, checkers, balancers } = status;
  return [
    ...(virtualServers.length === 0 ? [] : ["", ...virtualServerLines(virtualServers, checkers, now, all)]),
    ...(checkers.length === 0 ? [] : ["", ...checkerLines(checkers, now)]),
    ...(balancers.length === 0 ? [] : ["", ...balancers.flatMap((balancer) => balancerLines(balancer, now))]),
  ];
}

function virtualServerLines(
  virtualServers: readonly VirtualServerState[],
  checkers: readonly CheckerState[],
  now: number,
  all: boolean,
): string[] {
  const failures = new Map(checkers.map(({ name, lastFailure }) => [name, lastFailure]));
  const rowsOf = (each: VirtualServerState): string[] =>
    (all ? serverLines(each, failures, now) : troubles(each, failures, now)).map((line) => `  ${line}`);
  if (all || virtualServers.length <= shownMax) return overview(virtualServers, now, rowsOf);
  const troubled = virtualServers.filter((each) => troubles(each, failures, now).length > 0);
  const more = troubled.length - shownMax;
  return [
    summary(virtualServers),
    ...(troubled.length === 0 ? [] : overview(troubled.slice(0, shownMax), now, rowsOf)),
    ...(more > 0 ? [`and ${more} more with something to say: baton status --servers has all`] : []),
  ];
}

function overview(
  virtualServers: readonly VirtualServerState[],
  now: number,
  rowsOf: (each: VirtualServerState) => readonly string[],
): string[] {
  const rows = virtualServers.map((each) => [
    each.name,
    each.quorumUp ? "yes" : "NO",
    each.since === 0 ? "" : span(now - each.since),
    `${each.servers.filter(({ alive }) => alive).length} of ${each.servers.length}`,
    String(each.liveWeight),
    needed(each),
  ]);
  const [header = "", ...lines] = table([["VIRTUAL SERVER", "QUORUM", "FOR", "LIVE", "WEIGHT", "NEEDED"], ...rows]);
  return [
    header,
    ...lines.flatMap((line, index) => [line, ...(virtualServers[index] ? rowsOf(virtualServers[index]) : [])]),
  ];
}

const needed = ({ quorum, hysteresis }: VirtualServerState): string =>
  hysteresis === 0 ? String(quorum) : `${quorum} ± ${hysteresis}`;

function summary(virtualServers: readonly VirtualServerState[]): string {
  const servers = virtualServers.flatMap((each) => each.servers);
  const without = virtualServers.filter(({ quorumUp }) => !quorumUp).length;
  const live = servers.filter(({ alive }) => alive).length;
  const drained = servers.filter(({ drain }) => drain !== "none").length;
  return [
    `${virtualServers.length} virtual servers: ${without === 0 ? "all have quorum" : `${without} without quorum`}`,
    `${servers.length} real servers: ${live} live, ${servers.length - live} down, ${drained} drained`,
  ].join("; ");
}

type Failures = ReadonlyMap<string, string>;

/** What is not as it is on a good day. */
function troubles(virtualServer: VirtualServerState, failures: Failures, now: number): string[] {
  return [
    ...virtualServer.servers.flatMap((server) => {
      const words = [...downWords(server, failures), ...drainWords(server, now)];
      return words.length === 0 ? [] : [`${server.server} is ${words.join(", and ")}`];
    }),
    ...whoStandsIn(virtualServer),
  ];
}

/** The panic guard's, and the sorry server. */
function whoStandsIn({ servers, held, sorry, destinations }: VirtualServerState): string[] {
  const stand = destinations.find(({ role }) => role === "sorry");
  const isAlive = servers.some(({ server, alive }) => server === held && alive);
  const though = isAlive ? "its check wants weight 0" : "it has failed";
  return [
    ...(held === "" ? [] : [`${held} stays in the service though ${though}, as nobody else is left`]),
    ...(sorry ? [`the sorry server serves${stand === undefined ? "" : `: ${stand.server}`}`] : []),
  ];
}

function downWords(server: PoolServerState, failures: Failures): string[] {
  if (server.alive) return [];
  const why = failingWords(server, failures);
  return [why === "" ? "down" : `down (${why})`];
}

const failingWords = ({ failing }: PoolServerState, failures: Failures): string =>
  failing
    .map((check) => {
      const failure = failures.get(check) ?? "";
      return failure === "" ? check : `${check}: ${failure}`;
    })
    .join("; ");

function drainWords({ drain, drainUntil }: PoolServerState, now: number): string[] {
  if (drain === "removed") return ["drained and taken out"];
  if (drain !== "draining") return [];
  return [`being drained${drainUntil === 0 ? "" : `, for ${span(drainUntil - now)} at most`}`];
}

function serverLines(virtualServer: VirtualServerState, failures: Failures, now: number): string[] {
  const weights = new Map(
    virtualServer.destinations.flatMap(({ server, role, weight }) => (role === "real" ? [[server, weight]] : [])),
  );
  const rows = virtualServer.servers.map((server) => [
    server.server,
    server.alive ? "up" : "down",
    weightWords(weights.get(server.server), server.configuredWeight),
    [failingWords(server, failures), ...drainWords(server, now)].filter((word) => word !== "").join(", "),
  ]);
  return [...table(rows), ...whoStandsIn(virtualServer)];
}

function weightWords(weight: number | undefined, configured: number): string {
  if (weight === undefined) return "not in the service";
  return weight === configured ? `weight ${weight}` : `weight ${weight} (configured ${configured})`;
}

function checkerLines(checkers: readonly CheckerState[], now: number): string[] {
  const count = (status: string): number => checkers.filter((each) => each.status === status).length;
  const suspended = checkers.filter((each) => each.suspended).length;
  const counts = [
    `${count("up")} up`,
    `${count("down")} down`,
    ...(count("unknown") === 0 ? [] : [`${count("unknown")} not known yet`]),
    ...(suspended === 0 ? [] : [`${suspended} suspended`]),
  ];
  const running = checkers.filter((each) => !each.suspended && each.checkedAt > 0);
  const oldest = running.reduce((least, { checkedAt }) => Math.min(least, checkedAt), now);
  const age = running.length === 0 ? "" : `; the oldest result is from ${span(now - oldest)} ago`;
  const late = running
    .filter(({ latenessMicros }) => latenessMicros >= lateMicros)
    .sort((a, b) => b.latenessMicros - a.latenessMicros);
  const more = late.length - lateShownMax;
  return [
    `${plural(checkers.length, "check")}: ${counts.join(", ")}${age}`,
    ...late.slice(0, lateShownMax).map(({ name, latenessMicros }) => `  ${name} began ${span(latenessMicros)} late`),
    ...(more > 0 ? [`  and ${more} more are late`] : []),
  ];
}

function balancerLines(balancer: BalancerState, now: number): string[] {
  const { engine, services, destinations, repairs, programmedAt, errors } = balancer;
  const told = [
    `${plural(services, "service")}, ${plural(destinations, "destination")}`,
    ...(programmedAt === 0 ? [] : [`programmed ${span(now - programmedAt)} ago`]),
    ...(repairs === 0 ? [] : [`repaired ${repairs} times what somebody else had changed`]),
  ];
  return [`balancer ${engine}: ${told.join(", ")}`, ...errors.map((error) => `  ${error}`)];
}

const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? "" : "s"}`;
