// keepalived's command line, as getopt_long reads it: short options in one word, values that may be left out, long names
// cut short. A unit file or an entrypoint that was written for keepalived is read here as it stands.

/** What becomes of an option here; `note`: read, and what is asked for does not happen. */
type Treatment = "works" | { readonly note: string };

interface KeepalivedOption {
  readonly short?: string;
  readonly long: string;
  readonly value?: "required" | "optional";
  readonly treatment: Treatment;
}

const noted = (note: string): Treatment => ({ note });

export const keepalivedOptions = [
  { short: "f", long: "use-file", value: "required", treatment: "works" },
  { short: "P", long: "vrrp", treatment: "works" },
  { short: "C", long: "check", treatment: "works" },
  { short: "B", long: "no_bfd", treatment: noted("BFD sessions run where the configuration has them") },
  { long: "all", treatment: "works" },
  { short: "l", long: "log-console", treatment: "works" },
  { short: "D", long: "log-detail", treatment: "works" },
  { short: "S", long: "log-facility", value: "required", treatment: noted("log lines go to standard error") },
  { short: "g", long: "log-file", value: "optional", treatment: "works" },
  { long: "flush-log-file", treatment: "works" },
  { short: "G", long: "no-syslog", treatment: "works" },
  { short: "u", long: "umask", value: "required", treatment: noted("umask in global_defs counts") },
  { short: "X", long: "release-vips", treatment: "works" },
  { short: "V", long: "dont-release-vrrp", treatment: noted("addresses go at the stop, when the successor answers") },
  { short: "I", long: "dont-release-ipvs", treatment: "works" },
  { short: "R", long: "dont-respawn", treatment: noted("a service that dies is started again") },
  { short: "n", long: "dont-fork", treatment: "works" },
  { short: "d", long: "dump-conf", treatment: noted("baton check and SIGUSR1 show the configuration") },
  { short: "p", long: "pid", value: "required", treatment: "works" },
  { short: "r", long: "vrrp_pid", value: "required", treatment: "works" },
  { short: "c", long: "checkers_pid", value: "required", treatment: "works" },
  { short: "b", long: "bfd_pid", value: "required", treatment: "works" },
  { short: "a", long: "address-monitoring", treatment: noted("baton events shows what happens to addresses") },
  { short: "e", long: "all-config", treatment: "works" },
  { short: "x", long: "snmp", treatment: noted("there is no SNMP agent; metrics are served for Prometheus") },
  { short: "A", long: "snmp-agent-socket", value: "required", treatment: noted("there is no SNMP agent") },
  { short: "s", long: "namespace", value: "required", treatment: "works" },
  { short: "m", long: "core-dump", treatment: noted("cores are the machine's business") },
  { short: "M", long: "core-dump-pattern", value: "optional", treatment: noted("cores are the machine's business") },
  { short: "i", long: "config-id", value: "required", treatment: "works" },
  { long: "signum", value: "required", treatment: "works" },
  { short: "t", long: "config-test", value: "optional", treatment: "works" },
  { long: "ignore-sigint", treatment: "works" },
  { short: "v", long: "version", treatment: "works" },
  { short: "h", long: "help", treatment: "works" },
  // Baton's own, where one machine has several nodes.
  { long: "run-dir", value: "required", treatment: "works" },
  { long: "state-dir", value: "required", treatment: "works" },
  { long: "settings", value: "required", treatment: "works" },
  { long: "name", value: "required", treatment: "works" },
  { long: "ready-file", value: "required", treatment: "works" },
] as const satisfies readonly KeepalivedOption[];

export type KeepalivedOptionName = (typeof keepalivedOptions)[number]["long"];

/** By long name; the value, or "" where there is none. The last one counts. */
export type GivenOptions = ReadonlyMap<KeepalivedOptionName, string>;

const all: readonly (KeepalivedOption & { readonly long: KeepalivedOptionName })[] = keepalivedOptions;

/** A sentence: what is wrong. */
export function readKeepalivedOptions(words: readonly string[]): GivenOptions | string {
  const given = new Map<KeepalivedOptionName, string>();
  const rest = [...words];
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    const wrong = word.startsWith("--") ? readLong(word, rest, given) : readShort(word, rest, given);
    if (wrong !== undefined) return wrong;
  }
  return given;
}

type Given = Map<KeepalivedOptionName, string>;

function readLong(word: string, rest: string[], given: Given): string | undefined {
  const equals = word.indexOf("=");
  const name = word.slice(2, equals < 0 ? undefined : equals);
  const exact = all.filter(({ long }) => long === name);
  const [option, ...others] = exact.length > 0 ? exact : all.filter(({ long }) => name !== "" && long.startsWith(name));
  if (option === undefined) return `unknown option ${word}`;
  if (others.length > 0) return `${word} may be ${[option, ...others].map(({ long }) => `--${long}`).join(" or ")}`;
  if (option.value === undefined && equals >= 0) return `--${option.long} takes no value`;
  const value = equals < 0 ? undefined : word.slice(equals + 1);
  const needed = value ?? (option.value === "required" ? rest.shift() : "");
  if (needed === undefined) return `--${option.long} needs a value`;
  given.set(option.long, needed);
  return undefined;
}

function readShort(word: string, rest: string[], given: Given): string | undefined {
  if (!word.startsWith("-") || word === "-") return `unexpected "${word}"`;
  for (let at = 1; at < word.length; at++) {
    const letter = word.charAt(at);
    const option = all.find(({ short }) => short === letter);
    if (option === undefined) return `unknown option -${letter}`;
    if (option.value === undefined) {
      given.set(option.long, "");
      continue;
    }
    const attached = word.slice(at + 1);
    const value = attached !== "" || option.value === "optional" ? attached : rest.shift();
    if (value === undefined) return `-${letter} needs a value`;
    given.set(option.long, value);
    return undefined;
  }
  return undefined;
}

/** One sentence for each option that is given and asks for what does not happen. */
export const notesOf = (given: GivenOptions): string[] =>
  all.flatMap(({ long, treatment }) =>
    treatment === "works" || !given.has(long) ? [] : [`--${long} has no effect: ${treatment.note}`],
  );
