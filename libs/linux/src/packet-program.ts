// Programs for the kernel's packet filter (classic BPF): an assembler with labels, and how a socket gets one. What does not
// pass ends before it takes room in the socket's buffer, and before it costs us a system call.
import { assert } from "@baton/domain";
import { addressOf, libc } from "./libc.ts";

/** One instruction; `yes` and `no` are labels of conditional jumps, `to` is that of an unconditional one. */
interface Instruction {
  readonly code: number;
  readonly k?: number;
  readonly yes?: string;
  readonly no?: string;
  readonly to?: string;
}
export type Line = Instruction | { readonly label: string };

// <linux/bpf_common.h>: A is the accumulator, X the index, M[] is memory.
export const loadLength = 0x80;
export const loadWord = 0x20; // A = packet[k], the first octet the highest
export const loadWordIndexed = 0x40; // A = packet[X + k]
export const loadHalf = 0x28;
export const loadByte = 0x30; // A = packet[k]
export const loadByteIndexed = 0x50; // A = packet[X + k]
export const loadHeaderLength = 0xb1; // X = 4 * (packet[k] & 15)
export const loadNumber = 0x00;
export const loadMemory = 0x60;
export const loadIndexMemory = 0x61;
export const loadIndexNumber = 0x01;
export const store = 0x02;
export const copyToIndex = 0x07;
export const subtractIndex = 0x1c;
export const and = 0x54;
export const shiftRight = 0x74;
export const shiftRightByIndex = 0x7c;
export const jump = 0x05;
export const jumpIfEqual = 0x15;
export const jumpIfEqualIndex = 0x1d;
export const jumpIfAtLeast = 0x35;
export const giveBack = 0x06;

/** SKF_AD_OFF + SKF_AD_NLATTR, <linux/filter.h>: where in the packet, from A on, the netlink attribute X is; 0: nowhere. */
export const findAttribute = 0xfffff000 + 12;

const SOL_SOCKET = 1;
const SO_ATTACH_FILTER = 26;
const instructionBytes = 8;
/** How far a conditional jump goes. */
const jumpMax = 255;

/** struct sock_filter[], as SO_ATTACH_FILTER takes it. */
export function assemble(lines: readonly Line[]): Uint8Array {
  const labels = new Map<string, number>();
  const instructions: Instruction[] = [];
  for (const line of lines) {
    if ("label" in line) labels.set(line.label, instructions.length);
    else instructions.push(line);
  }
  const bytes = new Uint8Array(instructions.length * instructionBytes);
  const view = new DataView(bytes.buffer);
  for (const [index, { code, k = 0, yes, no, to }] of instructions.entries()) {
    const distance = (label: string | undefined): number =>
      label === undefined ? 0 : (labels.get(label) ?? Number.NaN) - index - 1;
    const [jt, jf] = [distance(yes), distance(no)];
    assert(jt >= 0 && jt <= jumpMax && jf >= 0 && jf <= jumpMax, "the filter is short enough for its jumps");
    view.setUint16(index * instructionBytes, code, true);
    view.setUint8(index * instructionBytes + 2, jt);
    view.setUint8(index * instructionBytes + 3, jf);
    view.setUint32(index * instructionBytes + 4, to === undefined ? k : distance(to), true);
  }
  return bytes;
}

/** From now on only what the program passes gets in; what is in already stays. The result of setsockopt: below 0 it failed. */
export function attachProgram(fd: number, program: Uint8Array): number {
  // struct sock_fprog: how many instructions, and where they are. The kernel copies them.
  const filter = new Uint8Array(16);
  const view = new DataView(filter.buffer);
  view.setUint16(0, program.length / instructionBytes, true);
  view.setBigUint64(8, addressOf(program), true);
  return libc.setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, filter, filter.length);
}
