// Two values of the same shape → what changed. Lists of subjects are matched by identity; every other member is compared
// whether or not its shape is known here.
import type { Change, FieldChange } from "./change.ts";
import { isMembers, isSame, isSecret, type Members, showValue, words } from "./show.ts";

/** A field that is called or shown in its own way. */
export interface Field {
  readonly label?: string;
  /** The value whole; undefined: nothing worth a word, and the field is still told to have changed. */
  show?(value: unknown): string | undefined;
  readonly effect?: FieldChange["effect"];
  /** Belongs to the identity or name, or repeats another field: not told again. */
  readonly untold?: boolean;
}

/** What the subjects of one list are. */
export interface Shape {
  readonly kind: string;
  /** Equal: the same subject, before and after. Never throws: what was stored by an older version may lack members. */
  identity(item: Members): string;
  name(item: Members): string;
  /** What it is recognised by, where that is not the name. */
  describe?(item: Members): string;
  /** Why it starts anew although its identity stays. */
  restart?(before: Members, after: Members): string | undefined;
  /** Why one whose identity changed starts anew under its name; both identities when absent. */
  readonly renewed?: string;
  readonly fields?: Readonly<Record<string, Field>>;
  readonly lists?: Readonly<Record<string, Shape>>;
  /** The order of the list means something. */
  readonly ordered?: boolean;
}

/** Everything that differs between two subjects that are one. */
export function compareSubjects(shape: Shape, before: Members, after: Members): Pick<Change, "fields" | "parts"> {
  const fields: FieldChange[] = [];
  const parts: Change[] = [];
  const compare = (old: Members, now: Members, path: string): void => {
    for (const name of new Set([...Object.keys(now), ...Object.keys(old)])) {
      const [was, is] = [old[name], now[name]];
      if (isSame(was, is)) continue;
      const at = path === "" ? name : `${path}.${name}`;
      const list = shape.lists?.[at] ?? listOf(name, was, is);
      const field = shape.fields?.[at];
      if (list !== undefined) {
        parts.push(...compareLists(list, was, is));
        fields.push(...orderOf(list, at, was, is));
      } else if (field?.untold === true) continue;
      else if (isMembers(was) && isMembers(is) && field?.show === undefined && !isValue(was) && !isSecret(name))
        compare(was, is, at);
      else fields.push(changeOf(at, name, field, was, is));
    }
  };
  compare(before, after, "");
  return { fields, parts };
}

/** Commands and users are told whole. */
const isValue = (members: Members): boolean => "argv" in members || ("user" in members && "group" in members);

function changeOf(path: string, name: string, field: Field | undefined, was: unknown, is: unknown): FieldChange {
  const secret = isSecret(name);
  const show = (value: unknown): string | undefined => {
    if (value === undefined || value === null) return undefined;
    if (secret) return "***";
    return field?.show === undefined ? showValue(value, name) : field.show(value);
  };
  return {
    path,
    label: field?.label ?? path.split(".").map(words).join(" "),
    before: show(was),
    after: show(is),
    secret,
    effect: field?.effect ?? "reload",
  };
}

// --- lists of subjects ----------------------------------------------------------------------------------------------

/** A list that nobody described: its items go by their names, and by all that they are where they have none. */
function listOf(name: string, was: unknown, is: unknown): Shape | undefined {
  const items = [was, is].filter((value) => Array.isArray(value)).flat();
  if (items.length === 0 || !items.every(isMembers)) return undefined;
  const nameOf = (item: Members): string =>
    typeof item.name === "string" ? item.name : (showValue(item, name) ?? "none");
  return { kind: singular(words(name).replaceAll("_", " ")), identity: nameOf, name: nameOf };
}

const singular = (words: string): string =>
  words.endsWith("sses") ? words.slice(0, -2) : words.endsWith("s") ? words.slice(0, -1) : words;

/** Subjects alone: a list of anything else is a value. */
const itemsOf = (value: unknown): Members[] => (Array.isArray(value) ? value.filter(isMembers) : []);

export function compareLists(shape: Shape, before: unknown, after: unknown): Change[] {
  const { removed, added, kept } = match(shape, itemsOf(before), itemsOf(after));
  const renewed = pairByName(shape, removed, added);
  const gone = [...removed].filter((item) => !renewed.olds.has(item));
  const changes = gone.map((item) => whole(shape, item, "removed"));
  for (const item of itemsOf(after)) {
    const old = kept.get(item);
    const former = renewed.byNew.get(item);
    if (old !== undefined) changes.push(...compareKept(shape, old, item));
    else if (former !== undefined) changes.push(restarted(shape, former, item, identityChange(shape, former, item)));
    else changes.push(whole(shape, item, "added"));
  }
  return changes;
}

interface Matched {
  readonly removed: ReadonlySet<Members>;
  readonly added: ReadonlySet<Members>;
  /** By the new item. */
  readonly kept: ReadonlyMap<Members, Members>;
}

/** Several of one identity are matched in their order. */
function match(shape: Shape, before: readonly Members[], after: readonly Members[]): Matched {
  const olds = queuesOf(before, (item) => shape.identity(item));
  const kept = new Map<Members, Members>();
  const added = new Set<Members>();
  for (const item of after) {
    const old = olds.get(shape.identity(item))?.shift();
    if (old === undefined) added.add(item);
    else kept.set(item, old);
  }
  return { removed: new Set([...olds.values()].flatMap((queue) => queue.rest())), added, kept };
}

interface Queue {
  shift(): Members | undefined;
  rest(): readonly Members[];
}

function queuesOf(items: readonly Members[], keyOf: (item: Members) => string): Map<string, Queue> {
  const lists = new Map<string, Members[]>();
  for (const item of items) {
    const list = lists.get(keyOf(item));
    if (list === undefined) lists.set(keyOf(item), [item]);
    else list.push(item);
  }
  const toQueue = (list: readonly Members[]): Queue => {
    const state = { next: 0 };
    return { shift: () => list[state.next++], rest: () => list.slice(state.next) };
  };
  return new Map([...lists].map(([key, list]) => [key, toQueue(list)]));
}

/** One that left and one that came under its name: people see one that starts anew. */
function pairByName(shape: Shape, removed: ReadonlySet<Members>, added: ReadonlySet<Members>) {
  const olds = new Set<Members>();
  const byNew = new Map<Members, Members>();
  const byName = queuesOf([...removed], (item) => shape.name(item));
  for (const item of added) {
    const old = byName.get(shape.name(item))?.shift();
    if (old === undefined) continue;
    olds.add(old);
    byNew.set(item, old);
  }
  return { olds, byNew };
}

function compareKept(shape: Shape, before: Members, after: Members): Change[] {
  if (isSame(before, after)) return [];
  const why = shape.restart?.(before, after);
  if (why !== undefined) return [restarted(shape, before, after, why)];
  const { fields, parts } = compareSubjects(shape, before, after);
  if (fields.length === 0 && parts.length === 0) return [];
  return [{ ...subject(shape, after), action: "changed", why: undefined, fields, parts }];
}

const restarted = (shape: Shape, before: Members, after: Members, why: string): Change => ({
  ...subject(shape, after),
  action: "restarted",
  why,
  ...compareSubjects(shape, before, after),
});

function identityChange(shape: Shape, before: Members, after: Members): string {
  if (shape.renewed !== undefined) return shape.renewed;
  const describe = (item: Members): string => shape.describe?.(item) ?? shape.identity(item);
  const [was, is] = [describe(before), describe(after)];
  return was === is ? `another ${shape.kind} of the same name` : `${was} → ${is}`;
}

const subject = (shape: Shape, item: Members): Pick<Change, "kind" | "name" | "identity"> => ({
  kind: shape.kind,
  name: shape.name(item),
  identity: shape.describe?.(item) ?? "",
});

const whole = (shape: Shape, item: Members, action: "added" | "removed"): Change => ({
  ...subject(shape, item),
  action,
  why: undefined,
  fields: [],
  parts: [],
});

/** Told only where the same subjects stand in another order. */
function orderOf(shape: Shape, path: string, was: unknown, is: unknown): FieldChange[] {
  if (shape.ordered !== true) return [];
  const [before, after] = [was, is].map((list) => itemsOf(list).map((item) => shape.identity(item)));
  const sorted = (list: readonly string[] | undefined) => list?.toSorted();
  if (isSame(before, after) || !isSame(sorted(before), sorted(after))) return [];
  const show = (list: unknown) =>
    showValue(
      itemsOf(list).map((item) => shape.name(item)),
      "",
    );
  const label = `order of ${words(path)}`;
  return [{ path, label, before: show(was), after: show(is), secret: false, effect: "reload" }];
}
