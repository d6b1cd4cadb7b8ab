// What an instance or a group tracks: each line names an object that has to be defined above, and may give it another
// weight.
import type { TrackRef } from "../config.ts";
import type { Entry, EntryForm, Option } from "../keywords/table.ts";
import {
  trackBfdForm,
  trackFileForm,
  trackInterfaceForm,
  trackProcessForm,
  trackScriptForm,
} from "../keywords/track-options.ts";
import type { Place } from "../report.ts";
import { type CheckOption, type EntryContext, optionValue, readEntry } from "../syntax/entry.ts";
import { adjust, type ResolveContext, reject } from "./context.ts";
import { requireInterface } from "./interface.ts";

/** An object as those see it who track it. */
export interface Trackable {
  readonly name: string;
  /** Where in the file it is defined: only what stands later can name it. */
  readonly order: number;
  readonly weight: number;
  readonly reverse: boolean;
  /**
   * `left-out`: it is as if it were not defined, `disabled`: who tracks it goes without; the reason was reported where it
   * is defined. keepalived complains of the first of them once more where it is tracked.
   */
  readonly state: "works" | "disabled" | "left-out";
}

/** All that can be tracked by name. */
export interface TrackedObjects {
  readonly scripts: ReadonlyMap<string, Trackable>;
  readonly files: ReadonlyMap<string, Trackable>;
  readonly processes: ReadonlyMap<string, Trackable>;
  readonly bfds: ReadonlyMap<string, Trackable>;
}

interface TrackForm extends EntryForm {
  readonly options: EntryForm["options"] & { readonly weight: Option<number>; readonly reverse: Option<true> };
}

/** How lines of one kind are read. */
interface TrackKind {
  readonly keyword: string;
  readonly form: TrackForm;
  /** What goes with a word behind the weight that is no direction. */
  readonly unknownDirection: "word" | "line";
}

export const trackKinds = {
  interface: { keyword: "track_interface", form: trackInterfaceForm, unknownDirection: "word" },
  script: { keyword: "vrrp_script", form: trackScriptForm, unknownDirection: "word" },
  file: { keyword: "track_file", form: trackFileForm, unknownDirection: "line" },
  process: { keyword: "vrrp_track_process", form: trackProcessForm, unknownDirection: "word" },
  bfd: { keyword: "bfd_instance", form: trackBfdForm, unknownDirection: "line" },
} as const satisfies Record<string, TrackKind>;

export interface TrackingContext extends EntryContext {
  /** As in "vrrp_instance VI_1". */
  readonly what: string;
}

interface Weighted {
  readonly weight: number;
  readonly reverse: boolean;
}

/** undefined: the line is not understood and tracks nothing; reported. */
function readLine(entry: Entry, kind: TrackKind, given: Weighted, context: TrackingContext): Weighted | undefined {
  const { form } = kind;
  const direction = entry.words[3];
  const isKnown = direction === undefined || (direction.text !== "weight" && hasOption(form, direction.text));
  if (direction !== undefined && !isKnown) {
    const lost = kind.unknownDirection === "line" ? "the line is left out" : "it is ignored";
    const message = `'${direction.text}' is not known here; ${lost}`;
    reject(context, entry.at(direction), "unknown-option", message, "write reverse, or nothing");
    if (kind.unknownDirection === "line") return undefined;
  }
  // Nobody reads further than that.
  const [name, ...rest] = entry.words;
  const words: Entry["words"] = [name, ...rest.slice(0, isKnown ? 3 : 2)];
  const check: CheckOption = (value, before) => {
    if (value.option.name === "weight" || before.some(({ option }) => option === form.options.weight)) return true;
    // In front of it keepalived understands nothing else.
    if (value.option === form.first) return true;
    const hint = `write ${name.text} weight N ${value.word.text}`;
    reject(context, value.place, "unknown-option", `'${value.word.text}' without a weight; the line is left out`, hint);
    return false;
  };
  const read = readEntry({ ...entry, words }, form, context, { value: check });
  if (read === undefined) return undefined;
  const noReverse = read.values.some(({ option }) => option.name === "noreverse");
  return {
    weight: optionValue(read, form.options.weight)?.value ?? given.weight,
    reverse: !noReverse && (optionValue(read, form.options.reverse)?.value ?? given.reverse),
  };
}

const hasOption = ({ options }: EntryForm, name: string): boolean =>
  Object.values(options).some((option) => option.name === name);

const unweighted: Weighted = { weight: 0, reverse: false };

export function resolveTrackedInterfaces(
  entries: readonly Entry[],
  ownInterface: string | undefined,
  context: TrackingContext,
): TrackRef[] {
  const refs = new Map<string, TrackRef>();
  for (const entry of entries) {
    const name = entry.words[0].text;
    if (!requireInterface(name, entry.at(), context, context.dynamicInterfaces)) continue;
    if (!isNew(refs, name, entry, context)) continue;
    const weighted = readLine(entry, trackKinds.interface, unweighted, context);
    if (weighted === undefined) continue;
    if (name !== ownInterface) refs.set(name, { name, ...weighted });
    else {
      const message = `${name} is the interface of ${context.what} and is tracked without this`;
      adjust(context, entry.at(), "own-interface", message, "remove it; dont_track_primary turns that off");
    }
  }
  return [...refs.values()];
}

export function resolveTracked(
  entries: readonly Entry[],
  kind: TrackKind,
  known: ReadonlyMap<string, Trackable>,
  context: TrackingContext,
): TrackRef[] {
  const refs = new Map<string, TrackRef>();
  for (const entry of entries) {
    const name = entry.words[0].text;
    const object = known.get(name);
    if (object === undefined || object.state === "left-out" || object.order > entry.order) {
      reportUnknown(entry, kind, object, known, context);
      continue;
    }
    const weighted = isNew(refs, name, entry, context) ? readLine(entry, kind, object, context) : undefined;
    if (weighted !== undefined && object.state === "works") refs.set(name, { name, ...weighted });
  }
  return [...refs.values()];
}

/** Where each name stands, for what has to be said of it later. */
export const placesOfNames = (entries: readonly Entry[]): ReadonlyMap<string, Place> =>
  new Map(entries.toReversed().map((entry) => [entry.words[0].text, entry.at()]));

function isNew(refs: ReadonlyMap<string, TrackRef>, name: string, entry: Entry, context: ResolveContext): boolean {
  if (!refs.has(name)) return true;
  reject(context, entry.at(), "tracked-twice", `${name} is tracked already; this line is ignored`);
  return false;
}

const namedMax = 10;

function reportUnknown(
  entry: Entry,
  { keyword }: TrackKind,
  object: Trackable | undefined,
  known: ReadonlyMap<string, Trackable>,
  context: TrackingContext,
): void {
  const name = entry.words[0].text;
  const fault =
    object === undefined
      ? `there is no ${keyword} ${name}`
      : `${keyword} ${name} is ${object.state === "left-out" ? "left out" : "defined only further down"}`;
  const message = `${fault}; ${context.what} does not track it`;
  const names = [...known.keys()].slice(0, namedMax);
  const hint =
    object !== undefined
      ? object.state === "left-out"
        ? "see where it is defined"
        : "move it above what tracks it"
      : names.length === 0
        ? `define it: ${keyword} ${name} { … }`
        : `defined are ${names.join(", ")}${known.size > names.length ? " and others" : ""}`;
  const code = keyword === "vrrp_script" ? "script-unknown" : "tracked-unknown";
  reject(context, entry.at(), code, message, hint);
}
