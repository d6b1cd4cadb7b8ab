// `baton fmt`: one layout for all files. Blocks are indented by four blanks, a brace opens on the line of its keyword and
// closes on one of its own, each line has one entry, words one blank between them. Comments and the order of lines stay,
// and so does the meaning: what cannot be moved without risk keeps its text.
import type { Diagnostic } from "../diagnostics.ts";
import { balanceOf, type Imbalance } from "./balance.ts";
import { layOut } from "./layout.ts";
import { scanLines } from "./scan.ts";

export interface FormatResult {
  /** The text as it was given, where a diagnostic says why. */
  readonly text: string;
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * `file` is for diagnostics. Comments in other encodings survive when the octets were decoded as Latin-1 and are written
 * so: nothing but ASCII characters is looked at.
 */
export function formatConfig(text: string, file = ""): FormatResult {
  const lines = scanLines(text);
  const balance = balanceOf(lines);
  if (!balance.ok) return { text, diagnostics: [unbalanced(balance.at, file)] };
  return { text: layOut(lines, balance.counts, text.endsWith("\n")), diagnostics: [] };
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
