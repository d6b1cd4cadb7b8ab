// What became of a director whose processes were killed under traffic, and what is wrong with it.
import type { Disappointment } from "@baton/balancing";

export interface Round {
  readonly name: string;
  /** Emulated: until everybody was there again, and from then on until the table was right. */
  readonly seconds: { readonly toRestart: number; readonly toRight: number };
  /** The server that it was about: its customers may notice. */
  readonly touched: string | undefined;
  /** What was waited for in vain; "" for nothing. */
  readonly failed: string;
  /** Changes that ip_vs was asked for, by whomever. */
  readonly commands: number;
  /** As ipvsadm prints it, in one order. */
  readonly before: readonly string[];
  readonly after: readonly string[];
  /** Questions answered afterwards, by server. */
  readonly answered: Readonly<Record<string, number>>;
  /** Without those of the touched server, and those who asked it before it was out. */
  readonly disappointed: readonly Disappointment[];
}

export interface FaultsResult {
  readonly seed: number;
  readonly rounds: Round[];
  /** Of virtual and real servers, in their order: type and whom it is about. */
  readonly events: string[];
  /** All questions answered, by server. */
  readonly answers: Record<string, number>;
  rulesInTheEnd?: readonly string[];
  failed?: string;
  /** Of the director, when it failed. */
  log: string;
}

/** Empty: everything was as it has to be, to the end. */
export function faultsOfKills(result: FaultsResult): string[] {
  const failed = result.failed === undefined ? [] : [result.failed];
  const left = JSON.stringify(result.rulesInTheEnd) === "[]" ? [] : ["something is left in the table"];
  return [...failed, ...result.rounds.flatMap(faultsOfRound), ...faultsOfEvents(result.events), ...left];
}

/** Whoever has died unseen is out, or in again, so soon: the files' slowest check needs 6 + 3 * 3 s, and it is emulated. */
const toRightMax = 90;

function faultsOfRound(round: Round): string[] {
  const { name, touched, failed, commands, before, after, disappointed, seconds } = round;
  const wrong: string[] = failed === "" ? [] : [failed];
  if (seconds.toRight > toRightMax) wrong.push(`right only ${seconds.toRight} s after the restart`);
  if (touched === undefined && commands > 0) wrong.push(`ip_vs was asked for ${commands} changes`);
  if (touched === undefined && before.join() !== after.join()) wrong.push(`the table is ${after.join()}`);
  for (const each of disappointed.slice(0, 3)) wrong.push(JSON.stringify(each));
  return wrong.map((each) => `${name}: ${each}`);
}

/** One server ends and returns; the third comes with a reload, answering as those of the start. */
const wantedEvents = ["realserver-down 172.16.100.11:80", "realserver-up 172.16.100.11:80"];

function faultsOfEvents(events: readonly string[]): string[] {
  const told = events.filter((event) => /^(realserver|quorum|sorry)/.test(event) && !event.includes("172.16.100.13"));
  // The start ends with the quorum.
  const seen = told.slice(told.findIndex((event) => event.startsWith("quorum-gained")) + 1);
  return seen.join() === wantedEvents.join() ? [] : [`events: ${seen.join(", ")}`];
}
