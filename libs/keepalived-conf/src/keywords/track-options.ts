// The lines of track_interface, track_script and the like: `NAME [weight N [reverse|noreverse]]`.
import { oneWord } from "./arguments.ts";
import { numberOf } from "./line-arguments.ts";
import { entryForm, one, option, present } from "./option.ts";
import { name } from "./option-arguments.ts";
import type { Argument } from "./table.ts";

/** `cut`: what goes beyond 253 is taken for 253, as long as it is 254. */
const weightUpTo = (max: 253 | 254, cut: boolean): Argument<number> =>
  oneWord("N", `-${cut ? 253 : max} to ${cut ? 253 : max}`, (word, line, report) => {
    const value = numberOf(word, { min: -max, max }, line, report);
    if (!cut || value === undefined || Math.abs(value) < 254) return value;
    const used = Math.sign(value) * 253;
    report({
      place: line.at(word),
      severity: "warning",
      code: "invalid-number",
      errorClass: "general-error",
      message: "no weight goes beyond 253",
      used: `weight ${used}`,
    });
    return used;
  });

interface TrackOptions {
  /** As in "an interface". */
  readonly what: string;
  readonly weight: Argument<number>;
  readonly default: string;
}

const optionsOf = ({ what, weight, default: absent }: TrackOptions) => ({
  weight: option("weight", one(weight), {
    default: absent,
    meaning: `What is added to the priority while ${what} is up, or taken from it while it is down; 0: down is a fault.`,
  }),
  reverse: option("reverse", present, { default: "off", meaning: "Exchanges up and down." }),
});

const nameOf = (what: string) => option("(name)", name(), { loses: "entry", meaning: `The name of ${what} to watch.` });

const takesBack = option("noreverse", present, { meaning: "Takes back the reverse of the object's own weight." });

/** `unknownDirection`: what goes with a word behind the weight that is none of them. */
const interfaces = { what: "an interface", weight: weightUpTo(254, true), default: "0" };
const interfaceName = nameOf(interfaces.what);
export const trackInterfaceForm = entryForm(optionsOf(interfaces), { first: interfaceName, unknownWord: "entry" });

const formOf = (options: TrackOptions) =>
  entryForm({ ...optionsOf(options), noReverse: takesBack }, { first: nameOf(options.what), unknownWord: "entry" });

export const trackScriptForm = formOf({ what: "a script", weight: weightUpTo(254, true), default: "the script's" });
export const trackFileForm = formOf({ what: "a file", weight: weightUpTo(254, false), default: "the file's" });
export const trackProcessForm = formOf({ what: "a process", weight: weightUpTo(254, false), default: "the process's" });
export const trackBfdForm = formOf({ what: "a BFD session", weight: weightUpTo(253, false), default: "the session's" });
