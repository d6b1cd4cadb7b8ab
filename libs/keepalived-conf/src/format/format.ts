// `baton fmt`: one layout for all files. Blocks are indented by four blanks, a brace opens on the line of its keyword and
// closes on one of its own, each line has one entry, words one blank between them. Comments and the order of lines stay,
// and so does the meaning: what cannot be moved without risk keeps its text.
import type { Diagnostic } from "../diagnostics.ts";
import { byteOrderMark, decodeLatin1, encodeLine } from "../source/octets.ts";
import { balanceOf, type Imbalance } from "./balance.ts";
import { layOut } from "./layout.ts";
import { scanLines } from "./scan.ts";

export interface FormatResult {
  /** The text as it was given, where a diagnostic says why. */
  readonly text: string;
  readonly diagnostics: readonly Diagnostic[];
}

/** `file` is for diagnostics. */
export function formatConfig(text: string, file = ""): FormatResult {
  const lines = scanLines(text);
  const balance = balanceOf(lines);
  if (!balance.ok) return { text, diagnostics: [unbalanced(balance.at, file)] };
  return { text: layOut(lines, balance.counts, text.endsWith("\n")), diagnostics: [] };
}

export interface FormattedOctets {
  readonly octets: Uint8Array;
  readonly diagnostics: readonly Diagnostic[];
}

/** The same for a file in any encoding that extends ASCII, comments in several of them included: none is looked at. */
export function formatOctets(octets: Uint8Array, file = ""): FormattedOctets {
  const start = byteOrderMark.every((octet, index) => octets[index] === octet) ? byteOrderMark.length : 0;
  const { text, diagnostics } = formatConfig(decodeLatin1(octets.subarray(start)), file);
  return { octets: diagnostics.length > 0 ? octets : encodeLine(text, true), diagnostics };
}

const unbalanced = ({ line, brace }: Imbalance, file: string): Diagnostic => ({
  file,
  line: line + 1,
  column: 1,
  severity: "error",
  code: "unbalanced-braces",
  errorClass: "ok",
  message: `the file is left as it is: ${brace === "{" ? "this '{' is never closed" : "this '}' closes nothing"}`,
  text: brace,
  used: undefined,
  hint: "baton check says what the parser makes of it",
});
