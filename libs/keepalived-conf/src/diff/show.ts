// Values of the Config as people read them. Whatever has no reader of its own is shown by its shape, so that a field
// that nobody thought of is told all the same.

export type Members = Readonly<Record<string, unknown>>;

export const isMembers = (value: unknown): value is Members =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** A list of hundreds is no sentence. */
const listedMax = 8;
const charactersMax = 160;

/** `name`: the field's, which says whether a number is a duration. undefined: the value is not set. */
export function showValue(value: unknown, name: string): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === "boolean") return value ? "on" : "off";
  if (typeof value === "number") return isDuration(name) ? seconds(value) : String(value);
  if (typeof value === "string") return value === "" ? '""' : shorten(value);
  if (Array.isArray(value)) return showList(value, name);
  return isMembers(value) ? shorten(showMembers(value)) : undefined;
}

function showList(values: readonly unknown[], name: string): string | undefined {
  if (values.length === 0) return undefined;
  const shown = values.slice(0, listedMax).map((value) => showValue(value, name) ?? "none");
  const more = values.length - shown.length;
  return shown.join(", ") + (more === 0 ? "" : ` and ${more} more`);
}

function showMembers(members: Members): string {
  if (typeof members.text === "string" && Array.isArray(members.argv)) return showCommand(members);
  if (typeof members.user === "string" && "group" in members) return showUser(members);
  const keys = Object.keys(members).length;
  if (keys === 2 && "address" in members && "prefixLength" in members) return showPrefix(members);
  if (keys === 2 && "first" in members && "last" in members) return `${members.first}-${members.last}`;
  if ("address" in members && "port" in members) {
    const { address, port, ...rest } = members;
    return `${String(address)} port ${String(port)} ${showMembers(rest)}`.trimEnd();
  }
  return Object.entries(members)
    .flatMap(([key, value]) => {
      const shown = isSecret(key) ? "***" : showValue(value, key);
      return shown === undefined ? [] : [`${words(key)} ${shown}`];
    })
    .join(" ");
}

function showCommand({ text, run, user }: Members): string {
  const as = isMembers(user) ? ` as ${showUser(user)}` : "";
  return `"${String(text)}"${run === "shell" ? " (shell)" : ""}${as}`;
}

/** The unspecified address with no prefix stands for everything. */
export const showPrefix = ({ address, prefixLength }: Members): string =>
  prefixLength === 0 ? "default" : `${String(address)}/${String(prefixLength)}`;

const showUser = ({ user, group }: Members): string =>
  typeof group === "string" ? `${String(user)}:${group}` : String(user);

const shorten = (text: string): string => (text.length <= charactersMax ? text : `${text.slice(0, charactersMax)}…`);

/** Durations of the Config are microseconds. */
export const seconds = (micros: number): string => `${micros / 1_000_000} s`;

/** By their names; a test compares them with the types. */
export const isDuration = (name: string): boolean =>
  /(^|[a-z])(delay|interval|timeout|refresh|warmup|lifetime|delayLoop|delayBeforeRetry)$/i.test(name) ||
  /^(delayAfterBoot|expires|retransmitMin|roundTripTime|roundTripVariance|timeWindow)$/.test(name);

export const isSecret = (name: string): boolean => /passw|^pass$|secret|^keys?$|community/i.test(name);

/** The Config's name of a field is mostly keepalived's keyword in another spelling: `smtpHeloName`, `smtp_helo_name`. */
export const words = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** A member that is not set and one that is missing are the same: what was stored has lost the former. */
export function isSame(a: unknown, b: unknown): boolean {
  if (a === b || ((a ?? null) === null && (b ?? null) === null)) return true;
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((item, i) => isSame(item, b[i]));
  if (!isMembers(a) || !isMembers(b)) return false;
  for (const name of Object.keys(a)) if (!isSame(a[name], b[name])) return false;
  for (const name of Object.keys(b)) if (!(name in a) && !isSame(undefined, b[name])) return false;
  return true;
}
