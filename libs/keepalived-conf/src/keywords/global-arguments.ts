// Arguments of global_defs that take more than one plain word.
import { type IpAddress, type Micros, micros, parseIp } from "@baton/domain";
import type { Report } from "../report.ts";
import type { Word } from "../source/words.ts";
import { isMulticast } from "./address-arguments.ts";
import { invalidNumber, invalidValue, uint32Max } from "./arguments.ts";
import { type Account, accountOf, boundedName, incomplete, numberOf, wholeLine } from "./line-arguments.ts";
import { missingWord } from "./missing-word.ts";
import type { Argument, KeywordLine } from "./table.ts";

/** RFC 5322 section 3.2.3: a display name with one of these has to be quoted. */
const special = /[()<>[\]:;@\\,.]/;

/** As it goes into a mail's header. */
export function mailAddress(text: string): string {
  const match = /^(.*?)[ \t]*(<[^<]*>)$/s.exec(text);
  const name = match?.[1] ?? "";
  if (match === null || !special.test(name)) return text;
  return `"${name.replaceAll(/["\\]/g, "\\$&")}" ${match[2]}`;
}

export const mailSender: Argument<string> = wholeLine("ADDR", (line, report) => {
  const [address, surplus] = line.args;
  if (address === undefined) return incomplete(line, report, "ADDR");
  if (surplus !== undefined) {
    report({
      place: line.at(surplus),
      severity: "error",
      code: "surplus-words",
      errorClass: "general-error",
      message: `${line.keyword.text}: '${surplus.text}' is not a part of the address`,
      used: `${line.keyword.text} ${address.text}`,
      hint: "put an address with blanks into double quotes",
    });
  }
  return mailAddress(address.text);
});

export interface DynamicInterfaces {
  readonly allowChanges: boolean;
}

export const dynamicInterfaces: Argument<DynamicInterfaces> = wholeLine("[allow_if_changes]", (line, report) => {
  const word = line.args[0];
  const allowChanges = word?.text === "allow_if_changes";
  if (word !== undefined && !allowChanges) invalidValue(word, line, report, "allow_if_changes, or nothing");
  return { allowChanges };
});

export interface FifoWords {
  readonly path: string;
  readonly owner: Account | undefined;
}

export const fifo: Argument<FifoWords> = wholeLine("PATH [USER [GROUP]]", (line, report) => {
  const [path, user, group] = line.args;
  if (path === undefined) return incomplete(line, report, "PATH");
  return { path: path.text, owner: accountOf(user, group) };
});

/** SCHED_RR has priorities from 1 to 99; what is beyond is taken for the nearest. */
export const realtimePriority: Argument<number> = wholeLine(
  "N",
  (line, report) => {
    const word = line.args[0];
    if (word === undefined) return incomplete(line, report, "N");
    const value = numberOf(word, { min: -2_147_483_648, max: 2_147_483_647 }, line, report);
    if (value === undefined) return undefined;
    const used = Math.max(1, Math.min(99, value));
    if (used !== value)
      invalidNumber(word, line, report, {
        message: `${value} is no priority of SCHED_RR`,
        hint: "write 1 to 99",
        used,
      });
    return used;
  },
  { range: "1 to 99" },
);

/** How many there are is the machine's affair; a set of the C library has room for so many. */
const cpuMax = 1023;

export const cpuSet: Argument<readonly number[]> = wholeLine(
  "CPU …",
  (line, report) => {
    if (line.args.length === 0) return incomplete(line, report, "CPU …");
    const cpus = new Set<number>();
    for (const word of line.args) {
      const cpu = numberOf(word, { min: 0, max: cpuMax }, line, report);
      if (cpu === undefined) return undefined;
      cpus.add(cpu);
    }
    return [...cpus].toSorted((a, b) => a - b);
  },
  { range: "numbers of processors, from 0" },
);

/** A limit of 1 is 2: keepalived halves it, and half of 1 would be none. */
export const realtimeLimit: Argument<Micros> = wholeLine(
  "USECS",
  (line, report) => {
    const word = line.args[0];
    const value = word && numberOf(word, { min: 1, max: 4_294_967_295 }, line, report);
    return micros(value === undefined ? 0 : Math.max(2, value));
  },
  { range: "1 to 4294967295 µs; what is no number turns the limit off", required: 1 },
);

const permissions: Readonly<Record<string, number>> = {
  IRUSR: 0o400,
  IWUSR: 0o200,
  IXUSR: 0o100,
  IRWXU: 0o700,
  IRGRP: 0o040,
  IWGRP: 0o020,
  IXGRP: 0o010,
  IRWXG: 0o070,
  IROTH: 0o004,
  IWOTH: 0o002,
  IXOTH: 0o001,
  IRWXO: 0o007,
};

const modeExpected = "a mode like 0177, or bits like IRWXG|IRWXO";

/** `0177`, or bits with `|` between, on one word or several. */
export const fileMode: Argument<number> = wholeLine(
  "MODE",
  (line, report) => {
    const [first, second] = line.args;
    if (first === undefined) return undefined;
    if (/^[0-9]/.test(first.text)) {
      const mode = numericMode(first.text);
      const wrong = second ?? (mode === undefined ? first : undefined);
      if (wrong !== undefined) return invalidValue(wrong, line, report, modeExpected);
      return mode;
    }
    // Blanks may stand beside the `|`, but not in its place.
    const names = line.args
      .map(({ text }) => text)
      .join("")
      .split("|");
    const bits = names.map((name) => (Object.hasOwn(permissions, name) ? permissions[name] : undefined));
    if (bits.includes(undefined)) return invalidValue(first, line, report, modeExpected);
    return bits.reduce((sum: number, bit) => sum | (bit ?? 0), 0);
  },
  { range: "permissions that new files do not get: octal, or names of bits", required: 1 },
);

/** As C reads numbers: octal after a 0, hexadecimal after 0x. */
function numericMode(text: string): number | undefined {
  const base = /^0x[0-9a-f]+$/i.test(text) ? 16 : /^0[0-7]*$/.test(text) ? 8 : /^[1-9][0-9]*$/.test(text) ? 10 : 0;
  const mode = base === 0 ? Number.NaN : Number.parseInt(text, base);
  return mode <= 0o777 ? mode : undefined;
}

/** `in`: for packets to virtual addresses; `out`: for packets from them. */
export interface ChainNames {
  readonly in: string;
  readonly out: string | undefined;
}

/** Names of netfilter have room for so many characters, as keepalived counts them. */
const chainNameMax = 27;
const setNameMax = 30;
export const tableNameMax = 254;

export const chains: Argument<ChainNames> = wholeLine(
  "[IN [OUT]]",
  (line, report) => {
    const [input, output] = line.args;
    if (input === undefined) return { in: "INPUT", out: "OUTPUT" };
    const inName = boundedName(input, chainNameMax, line, report);
    if (inName === undefined) return undefined;
    if (output === undefined) return { in: inName, out: undefined };
    const outName = boundedName(output, chainNameMax, line, report);
    if (outName === undefined) return { in: inName, out: undefined };
    if (outName !== inName) return { in: inName, out: outName };
    report({
      place: line.at(output),
      severity: "warning",
      code: "invalid-value",
      errorClass: "ok",
      message: `${line.keyword.text}: the two chains have to be different; the line is ignored`,
    });
    return undefined;
  },
  { range: `names of up to ${chainNameMax} characters` },
);

export interface SetNames {
  readonly address: string;
  readonly address6: string;
  readonly addressInterface6: string;
  readonly igmp: string;
  readonly mld: string;
  readonly neighbour: string;
}

/** What a set is called when only the ones before it are named. */
function setNamesFrom(names: readonly string[]): SetNames {
  const [address = "keepalived", address6 = `${address.slice(0, 30)}6`] = names;
  const [, , addressInterface6 = `${address6.replace(/6$/, "").slice(0, 27)}_if6`] = names;
  const [, , , igmp = `${address.slice(0, 26)}_igmp`, mld = `${address.slice(0, 27)}_mld`] = names;
  return { address, address6, addressInterface6, igmp, mld, neighbour: names[5] ?? `${address.slice(0, 28)}_nd` };
}

/** Alone it means that no sets are used. */
export const sets: Argument<SetNames | "none"> = wholeLine(
  "[NAME [NAME6 [IF6 [IGMP [MLD [ND]]]]]]",
  (line, report) => {
    if (line.args.length === 0) return "none";
    const given = line.args.slice(0, 6);
    const names = given.map((word) => boundedName(word, setNameMax, line, report));
    if (names.includes(undefined)) return undefined;
    const all = setNamesFrom(names.filter((name) => name !== undefined));
    if (new Set(Object.values(all)).size === 6) return all;
    const [first] = line.args;
    return first && invalidValue(first, line, report, "names that are all different");
  },
  { range: `different names of up to ${setNameMax} characters` },
);

/** `absent` when the line has no word. */
export const tableName = (absent: string): Argument<string> =>
  wholeLine(
    "[TABLE]",
    (line, report) => {
      const word = line.args[0];
      return word === undefined ? absent : boundedName(word, tableNameMax, line, report);
    },
    { range: `up to ${tableNameMax} characters` },
  );

/** What one line says of them. */
export interface ReceiveBuffers {
  readonly mtu: boolean;
  readonly advert: boolean;
  readonly size: number | undefined;
}

/** Each line adds to those before it. */
export const receiveBuffers: Argument<ReceiveBuffers> = wholeLine(
  "MTU|ADVERT|BYTES",
  (line, report) => {
    const [first] = line.args;
    if (first === undefined) return incomplete(line, report, "MTU|ADVERT|BYTES");
    const policies = line.args.map(({ text }) => text.toUpperCase());
    const [mtu, advert] = [policies.includes("MTU"), policies.includes("ADVERT")];
    const hasSize = policies.some((policy) => policy !== "MTU" && policy !== "ADVERT");
    // keepalived looks for the number in the first place, wherever it stands.
    const size = hasSize ? numberOf(first, { min: 0, max: uint32Max, strict: true }, line, report) : undefined;
    return { mtu, advert, size };
  },
  { range: "MTU and ADVERT in any case; 0 to 4294967295 octets" },
);

export interface LvsTimeouts {
  readonly tcp: Micros | undefined;
  readonly tcpFin: Micros | undefined;
  readonly udp: Micros | undefined;
}

/** 31 days. */
const lvsTimeoutMax = 2_678_400;

export const lvsTimeouts: Argument<LvsTimeouts> = wholeLine(
  "[tcp SECS] [tcpfin SECS] [udp SECS]",
  (line, report) => {
    const found = new Map<string, number>();
    if (line.args.length < 2) return incomplete(line, report, "tcp SECS");
    for (let i = 0; i < line.args.length; i++) {
      const [name, value] = [line.args[i], line.args[i + 1]];
      if (name === undefined) continue;
      if (!["tcp", "tcpfin", "udp"].includes(name.text)) invalidValue(name, line, report, "tcp, tcpfin or udp");
      else if (value === undefined) invalidValue(name, line, report, `${name.text} SECS`);
      else {
        i++;
        const seconds = numberOf(value, { min: 0, max: lvsTimeoutMax, strict: true }, line, report);
        if (seconds !== undefined) found.set(name.text, seconds);
      }
    }
    const timeout = (name: string): Micros | undefined => {
      const seconds = found.get(name);
      return seconds === undefined ? undefined : micros(seconds * 1_000_000);
    };
    return { tcp: timeout("tcp"), tcpFin: timeout("tcpfin"), udp: timeout("udp") };
  },
  { range: `0 to ${lvsTimeoutMax} s` },
);

export interface SyncDaemon {
  readonly interface: string;
  /** The instance whose state it follows; without one it is master and backup at once. */
  readonly instance: string | undefined;
  readonly id: number | undefined;
  readonly maxLength: number | undefined;
  readonly port: number | undefined;
  readonly ttl: number | undefined;
  readonly group: IpAddress | undefined;
}

/** IP_VS_IFNAME_MAXLEN of linux/ip_vs.h, without its terminating zero. */
const syncInterfaceMax = 15;

/** A datagram without the headers of IP and UDP. */
const syncNumbers = {
  id: { min: 0, max: 255 },
  maxlen: { min: 1, max: 65_507 },
  port: { min: 1, max: 65_535 },
  ttl: { min: 1, max: 255 },
} as const;

export const syncDaemon: Argument<SyncDaemon> = wholeLine(
  "IFNAME [[inst] INSTANCE] [id N] [maxlen N] [port N] [ttl N] [group ADDR]",
  (line, report) => {
    const [name, ...words] = line.args;
    if (name === undefined) return incomplete(line, report, "IFNAME");
    const interfaceName = boundedName(name, syncInterfaceMax, line, report);
    if (interfaceName === undefined) return undefined;
    const found = readSyncOptions(words, line, report);
    return {
      interface: interfaceName,
      instance: found.instance,
      id: found.numbers.get("id"),
      maxLength: found.numbers.get("maxlen"),
      port: found.numbers.get("port"),
      ttl: found.numbers.get("ttl"),
      group: found.group,
    };
  },
  { range: "id 0 to 255, maxlen 1 to 65507, port 1 to 65535, ttl 1 to 255" },
);

interface SyncOptions {
  instance: string | undefined;
  group: IpAddress | undefined;
  readonly numbers: Map<string, number>;
}

function readSyncOptions(words: readonly Word[], line: KeywordLine, report: Report): SyncOptions {
  const found: SyncOptions = { instance: undefined, group: undefined, numbers: new Map() };
  for (let i = 0; i < words.length; i++) {
    const [word, value] = [words[i], words[i + 1]];
    if (word === undefined) continue;
    const range = Object.hasOwn(syncNumbers, word.text)
      ? syncNumbers[word.text as keyof typeof syncNumbers]
      : undefined;
    if (range === undefined && word.text !== "inst" && word.text !== "group") {
      readBareSyncWord(word, i, found, line, report);
      continue;
    }
    if (value === undefined) {
      // keepalived ends for want of the instance's name, and only complains about the others.
      if (word.text === "inst") report(missingWord(line, syncDaemon.syntax));
      else invalidValue(word, line, report, `a value behind ${word.text}`);
      continue;
    }
    i++;
    if (word.text === "inst" && found.instance !== undefined)
      invalidValue(value, line, report, `one instance; ${found.instance} was given before`);
    else if (word.text === "inst") found.instance = value.text;
    else if (word.text === "group") found.group = syncGroupAddress(value, line, report) ?? found.group;
    else if (range !== undefined) {
      const number = numberOf(value, { ...range, strict: true }, line, report);
      if (number !== undefined) found.numbers.set(word.text, number);
    }
  }
  return found;
}

/** As it was written before there were keywords: the instance, then its number. */
function readBareSyncWord(word: Word, at: number, found: SyncOptions, line: KeywordLine, report: Report): void {
  if (at === 0) found.instance = word.text;
  else if (at === 1) {
    const id = numberOf(word, { ...syncNumbers.id, strict: true }, line, report);
    if (id === undefined) return;
    found.numbers.set("id", id);
    report({
      place: line.at(word),
      severity: "warning",
      code: "deprecated",
      errorClass: "general-error",
      message: `${line.keyword.text}: the number of the daemon without a word before it is deprecated`,
      hint: `write id ${id}`,
    });
  } else invalidValue(word, line, report, "inst, id, maxlen, port, ttl or group");
}

function syncGroupAddress(word: Word, line: KeywordLine, report: Report): IpAddress | undefined {
  const address = parseIp(word.text);
  if (address !== undefined && isMulticast(address)) return address;
  return invalidValue(word, line, report, "a multicast address");
}
