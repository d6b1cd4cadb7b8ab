// A recording of what passes an interface, for tshark or a decoder to read.
import { join } from "node:path";
import type { Machine } from "./machine.ts";

export interface Capture {
  readonly file: string;
  /** Ends the recording and hands back the file. */
  stop(): Promise<string>;
}

export async function startCapture(machine: Machine, networkInterface: string, filter: string): Promise<Capture> {
  const file = join(machine.directory, `${networkInterface}-${process.hrtime.bigint()}.pcap`);
  // --immediate-mode and -U: what was seen is in the file at once.
  // In immediate mode the kernel keeps a slot of -s for every packet: of the largest frame, in a buffer (-B, KiB) for bursts.
  const options = [
    "--immediate-mode",
    "-U",
    "-n",
    "-s",
    "2048",
    "-B",
    "16384",
    "--time-stamp-precision=nano",
    "-Z",
    "root",
  ];
  const child = await machine.spawn("tcpdump", ["tcpdump", ...options, "-i", networkInterface, "-w", file, filter]);
  await child.waitLog(/listening on/);
  return {
    file,
    async stop() {
      await child.stop();
      return file;
    },
  };
}
