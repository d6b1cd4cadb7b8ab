// What is ours in the kernel, in a file of the run directory: the kernel's table lives on when this process is killed,
// and the one after it has to know which services nobody wants any more, and which are somebody else's. The directory
// goes with a reboot, as the table does. Replaced whole; what cannot be read counts for nothing.
import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import type { ConnectionTimeouts, OwnDaemons } from "@baton/ipvs";
import type { EngineName } from "./keeper.ts";
import type { NamespaceFile } from "./place.ts";
import type { OwnRecord } from "./types.ts";

/** What is ours, and where. */
export interface PlacedRecord extends OwnRecord {
  readonly engine: EngineName;
  readonly namespace: NamespaceFile;
}

export interface OwnFile {
  /** Undefined: there is none. */
  read(): PlacedRecord | undefined;
  /** Throws where the directory takes no file. */
  write(record: PlacedRecord): void;
  remove(): void;
}

export function openOwnFile(path: string): OwnFile {
  return {
    read() {
      try {
        return parse(JSON.parse(readFileSync(path, "utf8")));
      } catch {
        return undefined; // the first process of this run, or a file that somebody else wrote
      }
    },
    write(record) {
      writeFileSync(`${path}.new`, JSON.stringify(record), { mode: 0o600 });
      renameSync(`${path}.new`, path);
    },
    remove: () => rmSync(path, { force: true }),
  };
}

/** Writes nothing, and throws nothing, until it is released, then what was to be written last. */
export function holdBack(file: Pick<OwnFile, "write">): Pick<OwnFile, "write"> & { release(): void } {
  let held: PlacedRecord | undefined;
  let isHolding = true;
  return {
    write(record) {
      if (isHolding) held = record;
      else file.write(record);
    },
    release() {
      isHolding = false;
      if (held !== undefined) file.write(held);
    },
  };
}

function parse(value: unknown): ReturnType<OwnFile["read"]> {
  if (typeof value !== "object" || value === null) return undefined;
  const { engine, namespace, services, daemons, timeouts } = value as Record<string, unknown>;
  if (engine !== "ipvs" && engine !== "nftables") return undefined;
  const names = Array.isArray(services) ? services.filter((each) => typeof each === "string") : [];
  return {
    engine,
    namespace: typeof namespace === "string" ? namespace : undefined,
    services: names,
    daemons: daemonsOf(daemons),
    timeouts: timeoutsOf(timeouts),
  };
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
