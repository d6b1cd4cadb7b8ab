// The outbox on disk: JSON lines in numbered segment files, written with write(2) before anything goes to the bus, and
// fsynced in groups. write(2) survives the death of the process; fsync, at most 100 ms later, that of the machine.
//
// Every segment starts with a header that says the last version of each aggregate before it, so the newest segment
// alone tells a restarted process where to go on, however old the aggregates are. Files are only ever appended to
// within one process life and removed whole: a torn last line stays where it is and is counted, never repaired.
import {
  closeSync,
  fdatasync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { type Aggregate, type EventEnvelope, toError } from "@baton/domain";
import { readEnvelope } from "./envelope.ts";

export const journalLimits = {
  segmentBytesMax: 1024 * 1024,
  /**
   * Group commit: this long between write(2) and the start of fdatasync(2). A write during fdatasync waits for it, so the
   * events of one failover should all be written before it starts.
   */
  syncDelayMs: 50,
  bytesMax: 256 * 1024 * 1024,
} as const;

/** The last version of each aggregate, and the writer's last epoch. */
export interface Versions {
  readonly epoch: number;
  readonly versions: ReadonlyMap<string, number>;
}

export interface Recovered extends Versions {
  /**
   * How the last life ended. `killed`: the process alone, and what it wrote is there. `power-cut`: the machine with it,
   * so that what was not fsynced yet, up to 100 ms, may be missing.
   */
  readonly end: "none" | "clean" | "killed" | "power-cut";
  /** Lines that are no event: a torn last line after a crash, or damage. */
  readonly damagedLines: number;
}

export interface Segment {
  readonly ordinal: number;
  /** Events in it. */
  readonly count: number;
}

export interface Position {
  readonly ordinal: number;
  readonly byte: number;
}

export interface JournalChunk {
  readonly ordinal: number;
  readonly envelopes: readonly EventEnvelope[];
  readonly next: Position;
}

export interface Journal {
  readonly recovered: Recovered;
  /** Oldest first; the last one is being written, unless the disk has refused since the start. */
  segments(): readonly Segment[];
  readonly bytes: number;
  /** Throws when the file system refuses; the events are then in no file. */
  append(envelopes: readonly EventEnvelope[]): { readonly ordinal: number };
  /** What is there from `position` on, at most one segment; undefined at the end of the journal. */
  read(position: Position): JournalChunk | undefined;
  /** Starts a new segment. */
  rotate(): void;
  /** Removes a segment that is not being written; answers how many events were in it. */
  remove(ordinal: number): number;
  /** Resolves when everything appended so far is on the disk. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

export const aggregateKey = (aggregate: Aggregate): string => `${aggregate.kind}/${aggregate.id}`;

interface Header {
  readonly baton: "outbox";
  readonly ordinal: number;
  /** Which start of the machine the writer belonged to. */
  readonly boot: string;
  readonly epoch: number;
  readonly versions: Readonly<Record<string, number>>;
}

const fileOf = (directory: string, ordinal: number): string =>
  join(directory, `${String(ordinal).padStart(12, "0")}.jsonl`);

function listOrdinals(directory: string): number[] {
  try {
    return readdirSync(directory)
      .flatMap((name) => (/^\d{12}\.jsonl$/.test(name) ? [Number(name.slice(0, 12))] : []))
      .sort((a, b) => a - b);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

/**
 * Where a process that writes to `directory` has to go on. Reads only; missing directory: nothing was ever written.
 * `boot` is the machine's boot id now.
 */
export function recoverVersions(directory: string, boot = ""): Recovered {
  const ordinals = listOrdinals(directory);
  // From the newest segment back to the first one with a whole header: a crash may have torn the newest one.
  let from = ordinals.length;
  let header: Header | undefined;
  while (from > 0 && header === undefined) header = parseSegment(directory, ordinals[--from] ?? 0).header;
  const versions = new Map(Object.entries(header?.versions ?? {}));
  let epoch = header?.epoch ?? 0;
  let damagedLines = 0;
  let last: EventEnvelope | undefined;
  for (const ordinal of ordinals.slice(from)) {
    const segment = parseSegment(directory, ordinal);
    damagedLines += segment.damaged;
    last = segment.envelopes.at(-1) ?? last;
    for (const envelope of segment.envelopes) {
      versions.set(aggregateKey(envelope.aggregate), envelope.version);
      epoch = Math.max(epoch, envelope.epoch);
    }
  }
  return { epoch, versions, damagedLines, end: endOf(header, last, boot) };
}

function endOf(header: Header | undefined, last: EventEnvelope | undefined, boot: string): Recovered["end"] {
  if (header === undefined) return "none";
  if (last?.event.type === "service-stopped") return "clean";
  return header.boot === boot ? "killed" : "power-cut";
}

interface ParsedSegment {
  readonly header: Header | undefined;
  readonly envelopes: EventEnvelope[];
  readonly damaged: number;
  readonly bytes: number;
}

function parseSegment(directory: string, ordinal: number): ParsedSegment {
  const bytes = readFileSync(fileOf(directory, ordinal));
  return { ...parseLines(bytes, true), bytes: bytes.length };
}

/** `whole`: a last line without a newline is torn; otherwise it is still being written and left for the next read. */
function parseLines(bytes: Buffer, whole: boolean): Omit<ParsedSegment, "bytes"> & { readonly consumed: number } {
  const consumed = whole ? bytes.length : bytes.lastIndexOf(0x0a) + 1;
  const envelopes: EventEnvelope[] = [];
  let header: Header | undefined;
  let damaged = 0;
  for (const line of bytes.toString("utf8", 0, consumed).split("\n")) {
    if (line === "") continue;
    const parsed = parseLine(line);
    if (parsed === undefined) damaged++;
    else if ("baton" in parsed) header ??= parsed;
    else envelopes.push(parsed);
  }
  return { header, envelopes, damaged, consumed };
}

function parseLine(line: string): Header | EventEnvelope | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  return readHeader(value) ?? readEnvelope(value);
}

function readHeader(value: unknown): Header | undefined {
  if (typeof value !== "object" || value === null || !("baton" in value) || value.baton !== "outbox") return undefined;
  const { ordinal, epoch, versions, boot } = value as Partial<Header>;
  if (typeof boot !== "string") return undefined;
  if (!Number.isSafeInteger(ordinal) || !Number.isSafeInteger(epoch)) return undefined;
  if (typeof versions !== "object" || versions === null) return undefined;
  if (!Object.values(versions).every(Number.isSafeInteger)) return undefined;
  return value as Header;
}

interface Held {
  readonly ordinal: number;
  count: number;
  bytes: number;
}

export interface JournalOptions {
  readonly directory: string;
  /** The machine's boot id. */
  readonly boot?: string;
  onError(error: Error): void;
}

/** Never throws: on a disk that refuses there is no segment until one can be made, and `append` says so each time. */
export function openJournal(options: JournalOptions): Journal {
  try {
    mkdirSync(options.directory, { recursive: true, mode: 0o700 });
    const recovered = recoverVersions(options.directory, options.boot);
    return new SegmentedJournal(options, recovered, readHeld(options.directory));
  } catch (error) {
    options.onError(toError(error));
    return new SegmentedJournal(options, { epoch: 0, versions: new Map(), damagedLines: 0, end: "none" }, []);
  }
}

const readHeld = (directory: string): Held[] =>
  listOrdinals(directory).map((ordinal) => {
    const segment = parseSegment(directory, ordinal);
    return { ordinal, count: segment.envelopes.length, bytes: segment.bytes };
  });

interface Active {
  readonly segment: Held;
  readonly descriptor: number;
}

class SegmentedJournal implements Journal {
  readonly recovered: Recovered;
  readonly #directory: string;
  readonly #boot: string;
  readonly #versions: Map<string, number>;
  readonly #held: Held[];
  readonly #onError: (error: Error) => void;
  #epoch: number;
  /** Undefined while the disk refuses. */
  #active: Active | undefined;
  /** A write failed half way: the next one starts on a line of its own. */
  #tornTail = false;
  #dirty = false;
  #syncTimer: NodeJS.Timeout | undefined;
  #syncing: Promise<void> | undefined;
  #closed = false;

  constructor(options: JournalOptions, recovered: Recovered, held: Held[]) {
    this.#directory = options.directory;
    this.#boot = options.boot ?? "";
    this.recovered = recovered;
    this.#versions = new Map(recovered.versions);
    this.#epoch = recovered.epoch;
    this.#held = held;
    this.#onError = (error) => options.onError(error);
    try {
      this.#activate();
    } catch (error) {
      options.onError(toError(error));
    }
  }

  segments(): readonly Segment[] {
    return this.#held;
  }

  get bytes(): number {
    return this.#held.reduce((sum, segment) => sum + segment.bytes, 0);
  }

  append(envelopes: readonly EventEnvelope[]): { ordinal: number } {
    if (this.#active !== undefined && this.#active.segment.bytes >= journalLimits.segmentBytesMax) this.rotate();
    const { segment, descriptor } = this.#active ?? this.#activate();
    let text = this.#tornTail ? "\n" : "";
    for (const envelope of envelopes) text += `${JSON.stringify(envelope)}\n`;
    segment.bytes += this.#write(descriptor, text, segment.bytes);
    segment.count += envelopes.length;
    for (const envelope of envelopes) {
      this.#versions.set(aggregateKey(envelope.aggregate), envelope.version);
      this.#epoch = Math.max(this.#epoch, envelope.epoch);
    }
    this.#scheduleSync();
    return { ordinal: segment.ordinal };
  }

  read(position: Position): JournalChunk | undefined {
    for (const segment of this.#held) {
      if (segment.ordinal < position.ordinal) continue;
      const from = segment.ordinal === position.ordinal ? position.byte : 0;
      const bytes = this.#readFile(segment.ordinal).subarray(from);
      const { envelopes, consumed } = parseLines(bytes, segment !== this.#active?.segment);
      const next = { ordinal: segment.ordinal, byte: from + consumed };
      if (envelopes.length > 0) return { ordinal: segment.ordinal, envelopes, next };
    }
    return undefined;
  }

  rotate(): void {
    const old = this.#active;
    this.#activate();
    if (old === undefined) return;
    // The old segment's last group may not be on the disk yet: sync, then close.
    const running = this.#syncing ?? Promise.resolve();
    void running.then(() => {
      fdatasync(old.descriptor, (error) => {
        if (error !== null) this.#onError(error);
        closeSync(old.descriptor);
      });
    });
  }

  remove(ordinal: number): number {
    const index = this.#held.findIndex((segment) => segment.ordinal === ordinal);
    const segment = this.#held[index];
    if (segment === undefined || segment === this.#active?.segment) return 0;
    unlinkSync(fileOf(this.#directory, ordinal));
    this.#held.splice(index, 1);
    return segment.count;
  }

  async sync(): Promise<void> {
    clearTimeout(this.#syncTimer);
    this.#syncTimer = undefined;
    await this.#syncing;
    const descriptor = this.#active?.descriptor;
    if (!this.#dirty || this.#closed || descriptor === undefined) return;
    this.#dirty = false;
    this.#syncing = new Promise((resolve) => {
      fdatasync(descriptor, (error) => {
        if (error !== null) this.#onError(error);
        this.#syncing = undefined;
        resolve();
      });
    });
    await this.#syncing;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    await this.sync();
    this.#closed = true;
    clearTimeout(this.#syncTimer);
    if (this.#active !== undefined) closeSync(this.#active.descriptor);
  }

  /** A segment that cannot be read is told and passed over: what comes after it must not wait for it. */
  #readFile(ordinal: number): Buffer {
    try {
      return readFileSync(fileOf(this.#directory, ordinal));
    } catch (error) {
      this.#onError(toError(error));
      return Buffer.alloc(0);
    }
  }

  #scheduleSync(): void {
    this.#dirty = true;
    this.#syncTimer ??= setTimeout(() => {
      this.#syncTimer = undefined;
      this.sync().catch(this.#onError);
    }, journalLimits.syncDelayMs);
  }

  /** Starts a segment above everything that is there; throws when the file system refuses. */
  #activate(): Active {
    mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
    const ordinal = Math.max(0, listOrdinals(this.#directory).at(-1) ?? 0, this.#held.at(-1)?.ordinal ?? 0) + 1;
    const descriptor = openSync(fileOf(this.#directory, ordinal), "ax", 0o600);
    const versions = Object.fromEntries(this.#versions);
    const header: Header = { baton: "outbox", ordinal, boot: this.#boot, epoch: this.#epoch, versions };
    try {
      const bytes = this.#write(descriptor, `${JSON.stringify(header)}\n`, 0);
      // The header must be there before an older segment, which it stands in for, may be removed; and so must the name.
      fsyncSync(descriptor);
      const directory = openSync(this.#directory, "r");
      fsyncSync(directory);
      closeSync(directory);
      this.#active = { segment: { ordinal, count: 0, bytes }, descriptor };
    } catch (error) {
      closeSync(descriptor);
      throw error;
    }
    this.#tornTail = false;
    this.#held.push(this.#active.segment);
    return this.#active;
  }

  #write(descriptor: number, text: string, length: number): number {
    const bytes = Buffer.from(text);
    let written = 0;
    try {
      while (written < bytes.length) written += writeSync(descriptor, bytes, written);
      this.#tornTail = false;
      return written;
    } catch (error) {
      if (written > 0) this.#takeBack(descriptor, length);
      throw error;
    }
  }

  /** Half a write happened (the disk is full): away with it, or else what follows starts on a line of its own. */
  #takeBack(descriptor: number, length: number): void {
    try {
      ftruncateSync(descriptor, length);
    } catch {
      this.#tornTail = true;
    }
  }
}
