// What is ours in the kernel, in a file of the run directory: the kernel's table lives on when this process is killed,
// and the one after it has to know which services nobody wants any more, and which are somebody else's. The directory
// goes with a reboot, as the table does. Replaced whole; what cannot be read counts for nothing.
import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import type { ConnectionTimeouts, OwnDaemons } from "@baton/ipvs";
import type { EngineName } from "./keeper.ts";
import type { NamespaceFile } from "./place.ts";
import type { OwnRecord } from "./types.ts";

export interface EnginePlace {
  readonly engine: EngineName;
  readonly namespace: NamespaceFile;
}

/** What is ours, and where. */
export interface PlacedRecord extends OwnRecord, EnginePlace {}

export const isSamePlace = (a: EnginePlace, b: EnginePlace): boolean =>
  a.engine === b.engine && a.namespace === b.namespace;

/** While services move there are two places, and as long as something may be left in one that they have left. */
export interface OwnFile {
  /** First of the place that services have come to last. Empty: nothing is ours, as far as anybody knows. */
  read(): readonly PlacedRecord[];
  /** In the stead of the record of the same place. Throws where the directory takes no file. */
  write(record: PlacedRecord): void;
  /** Nothing of ours is there any more. Throws as `write` does. */
  forget(place: EnginePlace): void;
  remove(): void;
}

export function openOwnFile(path: string): OwnFile {
  const read = (): readonly PlacedRecord[] => {
    try {
      return parse(JSON.parse(readFileSync(path, "utf8")));
    } catch {
      return []; // the first process of this run, or a file that somebody else wrote
    }
  };
  const save = (records: readonly PlacedRecord[]): void => {
    writeFileSync(`${path}.new`, JSON.stringify(records), { mode: 0o600 });
    renameSync(`${path}.new`, path);
  };
  return {
    read,
    write(record) {
      const records = read();
      const isKnown = records.some((each) => isSamePlace(each, record));
      save(isKnown ? records.map((each) => (isSamePlace(each, record) ? record : each)) : [record, ...records]);
    },
    forget: (place) => save(read().filter((each) => !isSamePlace(each, place))),
    remove: () => rmSync(path, { force: true }),
  };
}

const parse = (value: unknown): readonly PlacedRecord[] => (Array.isArray(value) ? value.flatMap(recordOf) : []);

function recordOf(value: unknown): readonly PlacedRecord[] {
  if (typeof value !== "object" || value === null) return [];
  const { engine, namespace, services, daemons, timeouts } = value as Record<string, unknown>;
  if (engine !== "ipvs" && engine !== "nftables") return [];
  const names = Array.isArray(services) ? services.filter((each) => typeof each === "string") : [];
  const place = { engine, namespace: typeof namespace === "string" ? namespace : undefined } as const;
  return [{ ...place, services: names, daemons: daemonsOf(daemons), timeouts: timeoutsOf(timeouts) }];
}

function daemonsOf(value: unknown): OwnDaemons | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { options } = value as Record<string, unknown>;
  return { options: typeof options === "string" ? options : undefined };
}

/** Of the kernel, in seconds: a signed number of 32 bits. */
const timeoutMax = 0x7fffffff;

function timeoutsOf(value: unknown): ConnectionTimeouts | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { tcp, tcpFin, udp } = value as Record<string, unknown>;
  const isTime = (seconds: unknown): seconds is number =>
    Number.isInteger(seconds) && Number(seconds) >= 0 && Number(seconds) <= timeoutMax;
  return isTime(tcp) && isTime(tcpFin) && isTime(udp) ? { tcp, tcpFin, udp } : undefined;
}
