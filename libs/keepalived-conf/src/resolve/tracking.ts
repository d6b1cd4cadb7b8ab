// `track_interface` and `track_script` of an instance.
import type { TrackRef } from "../config.ts";
import { readNumber } from "../keywords/arguments.ts";
import type { Entry } from "../keywords/table.ts";
import { adjust, type ResolveContext, reject } from "./context.ts";
import { requireInterface } from "./interface.ts";
import type { KnownScript } from "./scripts.ts";

interface Weighted {
  readonly weight: number;
  readonly reverse: boolean;
}

/** `NAME [weight N [reverse|noreverse]]`. undefined: the line is not understood and tracks nothing. */
function parseWeight(entry: Entry, given: Weighted, context: ResolveContext): Weighted | undefined {
  const [name, keyword, amount, direction] = entry.words;
  if (keyword === undefined) return given;
  if (keyword.text !== "weight" || amount === undefined) {
    reject(
      context,
      entry.at(keyword),
      "track-option",
      `'${keyword.text}' is not understood; ${name.text} is not tracked`,
      `write ${name.text} weight N`,
    );
    return undefined;
  }
  const { value, problem } = readNumber(amount.text, { min: -254, max: 254, decimals: 0 });
  if (problem !== undefined) {
    adjust(context, entry.at(amount), "invalid-number", `weight: ${problem}`, {
      hint: "write a number from -253 to 253",
      used: `weight ${value ?? given.weight}`,
    });
  } else if (value !== undefined && Math.abs(value) === 254) {
    adjust(context, entry.at(amount), "invalid-number", "no weight goes beyond 253", {
      used: `weight ${Math.sign(value) * 253}`,
    });
  }
  const weight = Math.max(-253, Math.min(253, value ?? given.weight));
  if (direction === undefined) return { weight, reverse: given.reverse };
  if (direction.text === "reverse" || direction.text === "noreverse")
    return { weight, reverse: direction.text === "reverse" };
  reject(
    context,
    entry.at(direction),
    "track-option",
    `'${direction.text}' is not understood and ignored`,
    "write reverse or noreverse",
  );
  return { weight, reverse: given.reverse };
}

export interface TrackingContext extends ResolveContext {
  readonly ownInterface: string;
  readonly dynamicInterfaces: boolean;
  readonly addressOwner: boolean;
  readonly what: string;
}

export function resolveTrackedInterfaces(entries: readonly Entry[], context: TrackingContext): TrackRef[] {
  const refs: TrackRef[] = [];
  for (const entry of entries) {
    const name = entry.words[0].text;
    if (name === context.ownInterface) {
      adjust(
        context,
        entry.at(),
        "own-interface",
        `${name} is the interface of ${context.what} and is tracked without this`,
        "remove it; dont_track_primary turns that off",
      );
      continue;
    }
    if (!requireInterface(name, entry.at(), context, context.dynamicInterfaces)) continue;
    const weighted = isNew(refs, name, entry, context)
      ? parseWeight(entry, { weight: 0, reverse: false }, context)
      : undefined;
    if (weighted !== undefined) refs.push({ name, ...weighted });
  }
  return refs;
}

export function resolveTrackedScripts(
  entries: readonly Entry[],
  known: readonly KnownScript[],
  context: TrackingContext,
): TrackRef[] {
  const refs: TrackRef[] = [];
  for (const entry of entries) {
    const name = entry.words[0].text;
    const script = known.find((candidate) => candidate.name === name && candidate.order < entry.order);
    if (script === undefined) {
      const later = known.some((candidate) => candidate.name === name);
      const message = later ? `vrrp_script ${name} is defined only further down` : `there is no vrrp_script ${name}`;
      reject(
        context,
        entry.at(),
        "script-unknown",
        `${message}; ${context.what} does not track it`,
        later ? "move it above the instance" : nearestScript(name, known),
      );
      continue;
    }
    const weighted = isNew(refs, name, entry, context) ? parseWeight(entry, script, context) : undefined;
    if (weighted === undefined) continue;
    if (context.addressOwner && weighted.weight !== 0) {
      adjust(
        context,
        entry.at(),
        "owner-weight",
        `priority 255 never changes: the weight of ${name} has no effect and it is not tracked`,
      );
      continue;
    }
    // A script that cannot run was reported where it is defined.
    if (script.config !== undefined) refs.push({ name, weight: weighted.weight, reverse: weighted.reverse });
  }
  return refs;
}

function isNew(refs: readonly TrackRef[], name: string, entry: Entry, context: ResolveContext): boolean {
  if (!refs.some((ref) => ref.name === name)) return true;
  reject(context, entry.at(), "tracked-twice", `${name} is tracked already; this line is ignored`);
  return false;
}

const nearestScript = (name: string, known: readonly KnownScript[]): string =>
  known.length === 0
    ? `define it: vrrp_script ${name} { script "…" }`
    : `defined are ${known.map((script) => script.name).join(", ")}`;
