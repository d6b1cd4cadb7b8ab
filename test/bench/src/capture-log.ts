// Adverts and gratuitous ARPs of a capture, as tcpdump prints them: kernel time stamps, in seconds.
import { execFileSync } from "node:child_process";

export interface WireAdvert {
  readonly at: number;
  readonly source: string;
  readonly priority: number;
  /** Which virtual router it speaks for: the interface, where the recording is of several, and the VRID. */
  readonly of: string;
}

export interface WireGarp {
  readonly at: number;
  readonly mac: string;
  readonly address: string;
}

export interface WireLog {
  readonly adverts: readonly WireAdvert[];
  readonly garps: readonly WireGarp[];
}

/** `namespace`: where it was recorded; a recording of several interfaces has only their numbers, which mean something there alone. */
export function readCapture(file: string, namespace?: string): WireLog {
  const inside = namespace === undefined ? [] : ["ip", "netns", "exec", namespace];
  const [command = "", ...args] = [...inside, "tcpdump", "-r", file, "-n", "-e", "-tt"];
  const text = execFileSync(command, args, {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
    maxBuffer: 256 * 1024 * 1024,
  });
  const adverts: WireAdvert[] = [];
  const garps: WireGarp[] = [];
  for (const line of text.split("\n")) {
    const at = Number(line.slice(0, line.indexOf(" ")));
    const advert = /[:,] (\d+\.\d+\.\d+\.\d+) > 224\.0\.0\.18: .*?vrid (\d+), prio (\d+)/.exec(line);
    if (advert !== null) {
      const on = /^\S+ (\S+) +(?:In|Out|B|M|P) /.exec(line)?.[1] ?? "";
      adverts.push({ at, source: advert[1] ?? "", priority: Number(advert[3]), of: `${on}/${advert[2]}` });
    }
    const garp = /^\S+ .*?((?:[\da-f]{2}:){5}[\da-f]{2}) .*Request who-has (\S+) .*tell (\S+?),/.exec(line);
    if (garp !== null && garp[2] === garp[3]) garps.push({ at, mac: garp[1] ?? "", address: garp[2] ?? "" });
  }
  return { adverts, garps };
}
