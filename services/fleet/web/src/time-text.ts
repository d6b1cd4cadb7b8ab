// Times as people read them.

const clock = new Intl.DateTimeFormat(undefined, {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  fractionalSecondDigits: 3,
  hourCycle: "h23",
});

/** Time of day with milliseconds; "" for what is no time. */
export function clockText(time: string): string {
  const millis = Date.parse(time);
  return Number.isNaN(millis) ? "" : clock.format(millis);
}

/** How long ago, in the largest fitting unit. Clocks of routers and browsers differ: never below zero. */
export function agoText(time: string, now: number): string {
  const millis = Date.parse(time);
  if (Number.isNaN(millis)) return "";
  const seconds = Math.max(0, Math.floor((now - millis) / 1_000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} days`;
}
