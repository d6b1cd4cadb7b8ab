// `NAT`, `DR`, or `TUN` with a way of tunnelling: how packets reach a server.
import type { Forwarding, Tunnel } from "../config.ts";
import type { Report } from "../report.ts";
import type { Word } from "../source/words.ts";
import { invalidValue, readNumber } from "./arguments.ts";
import type { Argument, KeywordLine } from "./table.ts";

/** `tunnel` undefined: what follows the method is not usable, and the tunnel stays as it was. */
export interface ForwardingLine {
  readonly method: Forwarding["method"];
  readonly tunnel: Tunnel | undefined;
}

const methods = new Map<string, Forwarding["method"]>([
  ["NAT", "masquerade"],
  ["DR", "direct-route"],
  ["TUN", "tunnel"],
]);

const checksums = new Map<string, "none" | "full" | "remote">([
  ["nocsum", "none"],
  ["csum", "full"],
  ["remcsum", "remote"],
]);

export const forwarding: Argument<ForwardingLine> = {
  syntax: "NAT|DR|TUN [type ipip|gue|gre] [port N] [nocsum|csum|remcsum]",
  range: "port 1 to 65535, with gue only; no checksum with ipip, no remcsum with gre",
  required: 1,
  script: false,
  parse: (line, report) => {
    const [word, ...options] = line.args;
    const method = methods.get(word?.text ?? "");
    if (word === undefined) return undefined;
    if (method !== undefined) return { method, tunnel: parseTunnel(options, line, report) };
    invalidValue(word, line, report, "NAT, DR or TUN");
    return undefined;
  },
};

interface TunnelWords {
  type: string;
  port: number | undefined;
  checksum: "none" | "full" | "remote";
}

function parseTunnel(words: readonly Word[], line: KeywordLine, report: Report): Tunnel | undefined {
  const found: TunnelWords = { type: "ipip", port: undefined, checksum: "none" };
  for (let at = 0; at < words.length; at++) {
    const word = words[at];
    const next = words[at + 1];
    const checksum = checksums.get(word?.text ?? "");
    if (checksum !== undefined) {
      found.checksum = checksum;
      continue;
    }
    const problem = readTunnelOption(word, next, found);
    if (problem !== undefined) {
      complain(next ?? word, line, report, problem);
      return undefined;
    }
    at++;
  }
  return toTunnel(found, line, report);
}

/** What is wrong with it, if anything. */
function readTunnelOption(word: Word | undefined, next: Word | undefined, found: TunnelWords): string | undefined {
  if (word?.text === "type") {
    if (next === undefined || !["ipip", "gue", "gre"].includes(next.text)) return "type needs ipip, gue or gre";
    found.type = next.text;
    return undefined;
  }
  if (word?.text !== "port") return `'${word?.text}' is no option of a tunnel`;
  const { value, problem } = readNumber(next?.text ?? "", { min: 1, max: 65_535, decimals: 0, strict: true });
  if (problem !== undefined) return "port needs a number from 1 to 65535";
  found.port = value;
  return undefined;
}

function toTunnel({ type, port, checksum }: TunnelWords, line: KeywordLine, report: Report): Tunnel | undefined {
  const last = line.args.at(-1);
  if (type === "gue" && port !== undefined) return { type, port, checksum };
  if (type === "gue" || port !== undefined)
    complain(last, line, report, "a gue tunnel has a port, the others have none");
  else if (type === "gre" && checksum !== "remote") return { type, checksum };
  else if (type === "gre") complain(last, line, report, "a gre tunnel has no remote checksum");
  else if (checksum === "none") return { type: "ipip" };
  else complain(last, line, report, "an ipip tunnel has no checksum");
  return undefined;
}

const complain = (word: Word | undefined, line: KeywordLine, report: Report, message: string): void =>
  report({
    place: line.at(word),
    severity: "error",
    code: "invalid-value",
    errorClass: "general-error",
    message: `${line.keyword.text}: ${message}; how the tunnel is made is ignored`,
    hint: `write ${line.keyword.text} TUN type gue port 5555`,
  });
