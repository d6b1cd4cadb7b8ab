// What stands in a `reload_time_file`: `HH:MM:SS`, or a date before it with two or four digits for the year; a `Z` behind
// it is UTC, otherwise it is the machine's own time. Pure but for the time zone, which is the process's.

export interface ReloadTime {
  /** Wall clock, in milliseconds since 1970. */
  readonly at: number;
  /** A day is named: it does not come again tomorrow. */
  readonly isOnce: boolean;
}

const pattern = /^(?:((?:\d\d)?\d\d)-(\d\d)-(\d\d) )?(\d\d):(\d\d):(\d\d)(Z?)$/;

/** Only the first line counts. A string says why there is none. */
export function readReloadTime(text: string, now: number): ReloadTime | string {
  const [line = ""] = text.split("\n", 1);
  const found = pattern.exec(line);
  if (found === null) return "it is no [[YY]YY-MM-DD ]HH:MM:SS[Z]";
  const [, year, month, day, hour, minute, second, zone] = found;
  const today = fieldsOf(now, zone === "Z");
  const wanted = {
    year: year === undefined ? today.year : fullYear(Number(year), year.length),
    month: month === undefined ? today.month : Number(month),
    day: day === undefined ? today.day : Number(day),
    hour: Number(hour),
    minute: Number(minute),
    second: Number(second),
  };
  const isUtc = zone === "Z";
  const at = momentOf(wanted, isUtc);
  if (JSON.stringify(fieldsOf(at, isUtc)) !== JSON.stringify(wanted)) return "there is no such time";
  if (at > now) return { at, isOnce: year !== undefined };
  if (year !== undefined) return "it has passed";
  return { at: momentOf({ ...wanted, day: wanted.day + 1 }, isUtc), isOnce: false };
}

interface Fields {
  readonly year: number;
  /** From 1. */
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
}

/** POSIX strptime's %y. */
const fullYear = (year: number, digits: number): number => (digits === 4 ? year : year + (year < 69 ? 2000 : 1900));

function momentOf({ year, month, day, hour, minute, second }: Fields, isUtc: boolean): number {
  if (isUtc) return Date.UTC(year, month - 1, day, hour, minute, second);
  return new Date(year, month - 1, day, hour, minute, second).getTime();
}

function fieldsOf(moment: number, isUtc: boolean): Fields {
  const date = new Date(moment);
  const [year, month] = isUtc ? [date.getUTCFullYear(), date.getUTCMonth()] : [date.getFullYear(), date.getMonth()];
  const [day, hour] = isUtc ? [date.getUTCDate(), date.getUTCHours()] : [date.getDate(), date.getHours()];
  const [minute, second] = isUtc
    ? [date.getUTCMinutes(), date.getUTCSeconds()]
    : [date.getMinutes(), date.getSeconds()];
  return { year, month: month + 1, day, hour, minute, second };
}
