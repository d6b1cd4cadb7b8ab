// Which processes there are, without asking again and again: the kernel's process connector tells of forks, execs, new
// names and ends (<linux/cn_proc.h>). It speaks in the first network namespace alone, to root of the first PID namespace.
import { readdirSync, readFileSync } from "node:fs";
import { messageOf } from "@baton/domain";
import type { Closable } from "./api.ts";
import { LinuxError } from "./error.ts";
import { type NetlinkMessage, readText, uint32, viewOf } from "./netlink-message.ts";
import { NETLINK_CONNECTOR, type NetlinkWatch, openNetlinkWatch } from "./netlink-socket.ts";
import { insideNamespace } from "./network-namespace.ts";

const CN_IDX_PROC = 1;
const CN_VAL_PROC = 1;
const PROC_CN_MCAST_LISTEN = 1;
const NLMSG_DONE = 3;
/** struct cn_msg, then struct proc_event: what, cpu, timestamp. */
const eventAt = 20;
const dataAt = eventAt + 16;
const what = { answer: 0, fork: 0x1, exec: 0x2, name: 0x200, exit: 0x80000000 } as const;

/** Of processes as a whole: what their threads do is left out. */
export type ProcessEvent =
  | { readonly type: "forked"; readonly pid: number; readonly parent: number }
  /** Name and command line are others now. */
  | { readonly type: "executed"; readonly pid: number }
  /** It gave itself another name (prctl PR_SET_NAME). */
  | { readonly type: "renamed"; readonly pid: number; readonly name: string }
  | { readonly type: "ended"; readonly pid: number };

export interface ProcessMonitorOptions {
  /** What happened, in order; never empty. A process may be gone again by the time one looks. */
  onEvents(events: readonly ProcessEvent[]): void;
  /** Some were lost: read the list anew. */
  onGap(): void;
}

/** Where the first network namespace is found: here, at the kernel's own threads, or at the first process. */
const places = ["/proc/thread-self/ns/net", "/proc/2/ns/net", "/proc/1/ns/net"];

/** Throws an error that says why, where the kernel has no connector or none for us. */
export function openProcessMonitor(options: ProcessMonitorOptions): Closable {
  const reasons: string[] = [];
  for (const place of places) {
    try {
      return insideNamespace(place, () => openHere(options));
    } catch (error) {
      reasons.push(messageOf(error));
    }
  }
  throw new LinuxError("EOPNOTSUPP", "process connector", [...new Set(reasons)].join("; "));
}

/** The socket stays in the namespace in which it was opened. */
function openHere(options: ProcessMonitorOptions): Closable {
  const begun = { answered: false };
  const watch = openNetlinkWatch(
    NETLINK_CONNECTOR,
    CN_IDX_PROC,
    decodeProcessMessage,
    (messages) => {
      if (messages.includes("answer")) begun.answered = true;
      const events = messages.filter((message) => message !== "answer");
      if (events.length > 0) options.onEvents(events);
    },
    () => options.onGap(),
  );
  try {
    listen(watch);
    // The kernel answers within the send, and not at all whom it does not serve.
    watch.drain();
    if (!begun.answered) throw new LinuxError("EOPNOTSUPP", "process connector", "the kernel does not answer");
  } catch (error) {
    watch.close();
    throw error;
  }
  return { close: () => watch.close() };
}

function listen(watch: NetlinkWatch): void {
  const body = new Uint8Array(24);
  body.set(uint32(CN_IDX_PROC, CN_VAL_PROC), 0);
  viewOf(body).setUint16(16, 4, true);
  body.set(uint32(PROC_CN_MCAST_LISTEN), 20);
  watch.send({ type: NLMSG_DONE, flags: 0, body });
}

/** Undefined: of no interest, or cut short. */
export function decodeProcessMessage({ body }: NetlinkMessage): ProcessEvent | "answer" | undefined {
  if (body.length < dataAt + 8) return undefined;
  const view = viewOf(body);
  if (view.getUint32(0, true) !== CN_IDX_PROC || view.getUint32(4, true) !== CN_VAL_PROC) return undefined;
  const field = (index: number): number => view.getUint32(dataAt + 4 * index, true);
  const isProcess = field(0) === field(1);
  switch (view.getUint32(eventAt, true)) {
    case what.answer:
      return field(0) === 0 ? "answer" : undefined;
    case what.fork: {
      if (body.length < dataAt + 16) return undefined;
      return field(2) === field(3) ? { type: "forked", parent: field(1), pid: field(2) } : undefined;
    }
    case what.exec:
      return isProcess ? { type: "executed", pid: field(0) } : undefined;
    case what.name:
      return isProcess
        ? { type: "renamed", pid: field(0), name: readText(body.subarray(dataAt + 8, dataAt + 24)) ?? "" }
        : undefined;
    case what.exit:
      return isProcess ? { type: "ended", pid: field(0) } : undefined;
    default:
      return undefined;
  }
}

/** One process as /proc shows it. */
export interface ProcessFacts {
  readonly pid: number;
  /** Of at most 15 octets: `comm`. */
  readonly name: string;
  /** Only what was asked for: argv; empty for the kernel's own threads. */
  readonly commandLine: readonly string[];
}

/** Undefined: it has ended (a zombie has, too). */
export function readProcess(pid: number, withCommandLine: boolean): ProcessFacts | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const [open, close] = [stat.indexOf("("), stat.lastIndexOf(")")];
    const state = stat[close + 2];
    if (open < 0 || close < open || state === "Z" || state === "X") return undefined;
    const line = withCommandLine ? readFileSync(`/proc/${pid}/cmdline`, "utf8") : "";
    return {
      pid,
      name: stat.slice(open + 1, close),
      commandLine: line === "" ? [] : line.replace(/\0$/, "").split("\0"),
    };
  } catch {
    return undefined;
  }
}

/** All that run now. Reading command lines may wait for memory that was swapped out: only where they are needed. */
export function listProcesses(withCommandLine: boolean): ProcessFacts[] {
  return readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .map((entry) => readProcess(Number(entry), withCommandLine))
    .filter((process) => process !== undefined);
}
