// Keeps ip_vs in step. What is known of the kernel's table (read whole, then kept up by what was done) makes a change
// of one pool a few commands and no reading; now and then everything is read and compared, a part at a time. Changes go
// on meanwhile: what was touched while it was read is not judged by what was read.
import type { DumpedService, OwnServices, Plan, StopMode, WantedService } from "@baton/ipvs";
import { type Operation, ownByName, plan, planStop } from "@baton/ipvs";
import type { Answer, Ask, Keeper, Measured } from "../keeper.ts";
import { type Story, startStory, tell, tellFailure } from "../story.ts";
import type { Wanted } from "../wish.ts";
import { asDumped } from "./dumped.ts";
import { operationText } from "./operation-text.ts";
import { TableReading } from "./table-reading.ts";
import { WorkQueue } from "./work-queue.ts";

export interface IpvsKeeperOptions {
  readonly wanted: Wanted;
  /** Names of services that may be ours: what an earlier process wrote down, and what is configured. */
  readonly own: Iterable<string>;
  /** `lvs_flush`: everybody's services go before anything else is done. */
  readonly flush: boolean;
}

/** Operations of one question; the kernel needs about a millisecond for them. */
const operationsMax = 100;

interface Piece {
  readonly name: string;
  readonly story: Story;
  readonly planned: Plan;
}

interface Ending {
  readonly mode: StopMode;
  readonly story: Story;
  /** Undefined: not known before the kernel has been looked at. */
  operations: Operation[] | undefined;
}

/** A service that the kernel did not take as it was to be, until it is read again. */
interface Doubt {
  readonly story: Story;
  readonly error: string;
}

/** Everything is read and judged, a part at a time. */
interface Look {
  readonly table: TableReading;
  readonly story: Story;
  /** What was changed meanwhile is not judged by what was read. */
  readonly touched: Set<string>;
  /** For each story that has not ended well one more, for the same reason; and one for what somebody else has done. */
  readonly others: Map<Story | "drift", Story>;
  drift: number;
}

const lookOf = (story: Story, withDestinations: boolean): Look => ({
  table: new TableReading(withDestinations),
  story,
  touched: new Set(),
  others: new Map(),
  drift: 0,
});

const errorsMax = 20;

export class IpvsKeeper implements Keeper {
  readonly engine = "ipvs";
  readonly #wanted: Wanted;
  readonly #queue = new WorkQueue();
  readonly #own: Map<string, WantedService | undefined>;
  /** What the kernel has of what is ours, wanted, or not known yet. */
  #kernel = new Map<string, DumpedService>();
  #isKnown = false;
  #reading: Look | undefined;
  /** A look that is to begin as soon as one can. */
  #due: Story | undefined;
  #doubts = new Map<string, Doubt>();
  /** How often in a row; what is right is forgotten with the next look. */
  readonly #failures = new Map<string, number>();
  #pieces: readonly Piece[] = [];
  #isFlushDue: boolean;
  #isPaused = false;
  #trouble = "";
  #drift = 0;
  #ending: Ending | undefined;

  constructor({ wanted, own, flush }: IpvsKeeperOptions) {
    this.#wanted = wanted;
    this.#own = new Map(ownByName(own));
    this.#isFlushDue = flush;
  }

  want(names: Iterable<string>, story: Story, urgent: boolean): void {
    story.waiting++;
    for (const name of names) {
      const doubt = this.#doubts.get(name);
      // Nobody is sure of what is there: a look will tell.
      if (doubt !== undefined) {
        this.#doubts.set(name, { ...doubt, story });
        this.#due ??= renewed(story);
      } else this.#queue.put(name, story, this.#rankOf(name, urgent));
    }
    this.#queue.release(story);
  }

  look(story: Story): void {
    if (this.#reading === undefined) this.#due ??= story;
  }

  retry(): void {
    this.#isPaused = false;
  }

  next(): Ask | undefined {
    if (this.#isPaused) return undefined;
    if (this.#ending !== undefined) return this.#nextOfEnding(this.#ending);
    if (this.#isFlushDue) return { kind: "change", operations: [{ kind: "flush" }] };
    if (this.#isKnown) {
      const urgent = this.#nextPieces(true);
      if (urgent !== undefined) return urgent;
    }
    if (this.#reading === undefined && this.#due !== undefined) this.#startReading(this.#due);
    return this.#reading?.table.next() ?? this.#nextPieces(false);
  }

  take(ask: Ask, answer: Answer): void {
    if (answer.kind === "failed") return this.#pause(answer.error);
    this.#trouble = "";
    if (answer.kind === "changed" && ask.kind === "change") return this.#takeChanged(ask.operations, answer.errors);
    if (this.#reading !== undefined) this.#takeRead(this.#reading, answer);
  }

  settled(): readonly Story[] {
    return this.#queue.settled();
  }

  finish(mode: StopMode, story: Story): void {
    this.#queue.clear();
    this.#pieces = [];
    this.#doubts = new Map();
    this.#isPaused = false;
    this.#endReading();
    story.waiting++;
    this.#ending = { mode, story, operations: undefined };
  }

  ownNames(): ReadonlySet<string> {
    return new Set([...this.#own.keys(), ...this.#wanted.services.keys()]);
  }

  counts(): { readonly services: number; readonly destinations: number } {
    const ours = this.#ours();
    return {
      services: ours.length,
      destinations: ours.reduce((sum, { destinations }) => sum + destinations.length, 0),
    };
  }

  errors(): readonly string[] {
    const doubts = [...this.#doubts.values()].map(({ error }) => error);
    return [...(this.#trouble === "" ? [] : [this.#trouble]), ...doubts].slice(0, errorsMax);
  }

  drift(): number {
    return this.#drift;
  }

  *measured(): Iterable<Measured> {
    for (const service of this.#ours()) {
      for (const destination of service.destinations) yield { service, destination };
    }
  }

  #ours(): DumpedService[] {
    return [...this.#own.keys()].flatMap((name) => this.#kernel.get(name) ?? []);
  }

  #isRelevant(name: string): boolean {
    return this.#own.has(name) || this.#wanted.services.has(name) || this.#wanted.unknown.has(name);
  }

  // --- changes ------------------------------------------------------------------------------------------------------

  /** What is not wanted any more goes last: what replaces it is there by then. */
  #rankOf(name: string, urgent: boolean): "urgent" | "plain" | "leaving" {
    if (!this.#wanted.services.has(name)) return "leaving";
    return urgent ? "urgent" : "plain";
  }

  #nextPieces(urgentOnly: boolean): Ask | undefined {
    const pieces: Piece[] = [];
    const operations: Operation[] = [];
    while (operations.length < operationsMax) {
      const next = this.#queue.shift(urgentOnly);
      if (next === undefined) break;
      const { name, story } = next;
      const planned = this.#planOf(name);
      if (planned.operations.length === 0) {
        this.#keepOwn(name, planned.own);
        this.#queue.release(story);
        continue;
      }
      pieces.push({ name, story, planned });
      operations.push(...planned.operations);
    }
    if (pieces.length === 0) return undefined;
    this.#pieces = pieces;
    return { kind: "change", operations };
  }

  #planOf(name: string): Plan {
    const dumped = this.#kernel.get(name);
    const { services, unknown } = this.#wanted;
    return plan({
      wanted: pick(services, name),
      unknown: unknown.has(name) ? new Set([name]) : nobody,
      own: pick(this.#own, name),
      dumped: dumped === undefined ? [] : [dumped],
    });
  }

  #keepOwn(name: string, own: OwnServices): void {
    if (own.has(name)) this.#own.set(name, own.get(name));
    else this.#own.delete(name);
  }

  #takeChanged(operations: readonly Operation[], errors: readonly (string | undefined)[]): void {
    if (this.#ending !== undefined) return this.#takeEnd(this.#ending, operations, errors);
    if (this.#isFlushDue) {
      this.#isFlushDue = false;
      if (errors[0] !== undefined) this.#trouble = `lvs_flush: ${errors[0]}`;
      return;
    }
    let at = 0;
    for (const piece of this.#pieces) {
      const { name, story, planned } = piece;
      const failed: string[] = [];
      for (const operation of planned.operations) {
        const error = errors[at++];
        if (error === undefined) tell(story, operationText(operation));
        else {
          failed.push(`${operationText(operation)}: ${error}`);
          tellFailure(story, operationText(operation), error);
        }
      }
      this.#reading?.touched.add(name);
      if (failed[0] === undefined) this.#succeed(name, planned);
      else this.#doubt(name, story, failed[0]);
      this.#queue.release(story);
    }
    this.#pieces = [];
  }

  #succeed(name: string, planned: Plan): void {
    this.#keepOwn(name, planned.own);
    const now = planned.own.get(name);
    if (now === undefined) this.#kernel.delete(name);
    else this.#kernel.set(name, asDumped(now, this.#kernel.get(name)));
  }

  /** Tried again at once, as somebody else may have been faster; then with each look. */
  #doubt(name: string, story: Story, error: string): void {
    const failures = (this.#failures.get(name) ?? 0) + 1;
    this.#failures.set(name, failures);
    this.#own.set(name, undefined);
    this.#doubts.set(name, { story, error });
    if (failures === 1) this.#due ??= renewed(story);
  }

  #pause(error: string): void {
    this.#isPaused = true;
    this.#trouble = error;
    for (const { name, story } of this.#pieces) {
      tellFailure(story, name, error);
      this.#doubt(name, story, error);
      this.#queue.release(story);
    }
    const story = this.#reading?.story ?? this.#pieces[0]?.story;
    if (story !== undefined) this.#due ??= renewed(story);
    this.#pieces = [];
    this.#isKnown = false;
    this.#endReading();
    if (this.#ending === undefined) return;
    tellFailure(this.#ending.story, "clear up", error);
    this.#queue.release(this.#ending.story);
  }

  // --- looking ------------------------------------------------------------------------------------------------------

  #startReading(story: Story): void {
    this.#due = undefined;
    this.#reading = lookOf(story, true);
    story.waiting++;
  }

  #takeRead(look: Look, answer: Answer): void {
    const names = look.table.take(answer, (name) => this.#isRelevant(name));
    if (this.#ending !== undefined) {
      if (!look.table.isDone) return;
      this.#reading = undefined;
      this.#ending.operations = planStop(this.#own, [...look.table.found.values()], this.#ending.mode);
      return;
    }
    for (const name of names) {
      const found = look.table.found.get(name);
      if (look.touched.has(name) || found === undefined) continue;
      this.#kernel.set(name, found);
      this.#judge(look, name);
    }
    if (look.table.isDone) this.#finishLook(look);
  }

  /** What is not there has not been judged yet. */
  #finishLook(look: Look): void {
    const { found } = look.table;
    const isOld = (name: string): boolean => !found.has(name) && !look.touched.has(name);
    for (const name of this.#kernel.keys()) if (isOld(name)) this.#kernel.delete(name);
    for (const name of new Set([...this.#own.keys(), ...this.#wanted.services.keys()])) {
      if (isOld(name)) this.#judge(look, name);
    }
    for (const name of this.#doubts.keys()) if (isOld(name)) this.#doubts.delete(name);
    this.#isKnown = true;
    this.#drift = look.drift;
    this.#endReading();
  }

  #endReading(): void {
    const look = this.#reading;
    this.#reading = undefined;
    // That of an end waits for the end.
    if (look === undefined || look.story === this.#ending?.story) return;
    for (const each of [...look.others.values(), look.story]) this.#queue.release(each);
  }

  #judge(look: Look, name: string): void {
    const doubt = this.#doubts.get(name);
    this.#doubts.delete(name);
    if (!this.#own.has(name) && !this.#wanted.services.has(name)) return;
    const { operations, drift, own } = this.#planOf(name);
    look.drift += drift;
    if (operations.length === 0) {
      this.#keepOwn(name, own);
      this.#failures.delete(name);
    } else if (!this.#queue.has(name)) {
      this.#queue.put(name, this.#storyOf(look, doubt, drift), this.#rankOf(name, false));
    }
  }

  #storyOf({ others, story }: Look, doubt: Doubt | undefined, drift: number): Story {
    if (doubt === undefined && drift === 0) return story;
    const of = doubt?.story ?? "drift";
    const known = others.get(of);
    if (known !== undefined) return known;
    const other = doubt === undefined ? startStory("repair", story.startedAt) : renewed(doubt.story);
    other.waiting++;
    others.set(of, other);
    return other;
  }

  // --- the end ------------------------------------------------------------------------------------------------------

  #nextOfEnding(ending: Ending): Ask | undefined {
    if (ending.operations === undefined) {
      if (ending.mode === "keep" || ending.mode === "all") ending.operations = planStop(new Map(), [], ending.mode);
      else {
        this.#reading ??= lookOf(ending.story, ending.mode === "no");
        return this.#reading.table.next();
      }
    }
    const operations = ending.operations.slice(0, operationsMax);
    if (operations.length > 0) return { kind: "change", operations };
    if (ending.mode !== "keep") this.#own.clear();
    if (ending.story.waiting > 0) this.#queue.release(ending.story);
    return undefined;
  }

  #takeEnd(ending: Ending, operations: readonly Operation[], errors: readonly (string | undefined)[]): void {
    ending.operations?.splice(0, operations.length);
    operations.forEach((operation, at) => {
      const error = errors[at];
      // Somebody else was faster: it is gone.
      if (error === undefined || /^(ESRCH|ENOENT)\b/.test(error)) tell(ending.story, operationText(operation));
      else tellFailure(ending.story, operationText(operation), error);
    });
  }
}

const renewed = ({ reason, startedAt, cause }: Story): Story => startStory(reason, startedAt, cause);

const nobody: ReadonlySet<string> = new Set();

function pick<T>(from: ReadonlyMap<string, T>, name: string): ReadonlyMap<string, T> {
  const value = from.get(name);
  return from.has(name) ? new Map([[name, value as T]]) : new Map();
}
