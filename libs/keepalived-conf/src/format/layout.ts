// Scanned lines → rows of the canonical layout.
import { lineOctetsMax } from "../source/physical-line.ts";
import { octetsOf } from "../source/text.ts";
import { bracesOf, type Counts } from "./balance.ts";
import { codeOctetsMax, isBrace, type ScannedLine } from "./scan.ts";

interface Row {
  readonly depth: number;
  text: string;
  comment: string | undefined;
  /** A `{` that comes next goes on this row. */
  takesBrace: boolean;
}

interface Layout {
  readonly rows: Row[];
  depth: number;
  /** A blank line waits for the next row: none stands at the ends of the file. */
  blank: boolean;
  /** Depth at which a run of conditional lines began: alternatives stand side by side. */
  runDepth: number | undefined;
}

/** `endsLine`: whether the last line of the file had an end. */
export function layOut(lines: readonly ScannedLine[], counts: Counts, endsLine: boolean): string {
  const layout: Layout = { rows: [], depth: 0, blank: false, runDepth: undefined };
  for (const line of lines) addLine(layout, line, counts);
  const last = layout.rows.at(-1);
  if (last === undefined) return "";
  const rows = layout.rows.map(render).join("\n");
  // What stood further down must not become the mark of the file, whether it is read as UTF-8 or as octets.
  const text = /^(?:\uFEFF|\xef\xbb\xbf)/.test(rows) ? `\n${rows}` : rows;
  // keepalived reads a NUL octet in the last line only where that line has no end.
  if (!endsLine && last.text.includes("\0")) return text;
  // A definition that is still open takes the next line of the file that includes this one, but for a blank one here.
  return layout.blank && last.text.endsWith("\\") ? `${text}\n\n` : `${text}\n`;
}

function addLine(layout: Layout, line: ScannedLine, counts: Counts): void {
  if (line.kind === "blank") {
    layout.blank = layout.rows.length > 0;
    return;
  }
  const condition = line.kind === "opaque" ? line.condition : undefined;
  layout.runDepth = condition === undefined ? undefined : (layout.runDepth ?? layout.depth);
  if (line.kind === "code") addCode(layout, line.pieces, line.comment);
  else if (line.kind === "opaque") {
    const depth = counts(condition) ? layout.depth : (layout.runDepth ?? layout.depth);
    const first = line.pieces.findIndex((piece) => piece !== "}");
    addRow(layout, line.text, depth - (first < 0 ? line.pieces.length : first));
    for (const brace of bracesOf(line, counts)) layout.depth += brace === "{" ? 1 : -1;
  } else addRow(layout, line.text, line.kind === "verbatim" ? 0 : layout.depth);
}

/** One row for each piece, with the brace that it opens; the comment stays with the first words. */
function addCode(layout: Layout, pieces: readonly string[], comment: string | undefined): void {
  const added: Row[] = [];
  let above: Row | undefined;
  for (const piece of pieces) {
    if (piece === "}") layout.depth--;
    const row = piece === "{" ? rowForBrace(layout, comment !== undefined && pieces.length === 1) : undefined;
    if (row === undefined) added.push(addRow(layout, piece, layout.depth, !isBrace(piece)));
    else {
      row.text += " {";
      row.takesBrace = false;
      layout.blank = false;
      if (added.length === 0) above = row;
    }
    if (piece === "{") layout.depth++;
  }
  const commented = added.find(({ text }) => !isBrace(text)) ?? added.at(-1) ?? above;
  if (commented !== undefined && comment !== undefined) commented.comment = comment;
}

/** The row above, where it has room for a brace, and for a comment if there is one. */
function rowForBrace(layout: Layout, commented: boolean): Row | undefined {
  const row = layout.rows.at(-1);
  if (row === undefined || !row.takesBrace || (commented && row.comment !== undefined)) return undefined;
  return octetsOf(row.text) + octetsOf(row.comment ?? "") + 3 <= codeOctetsMax ? row : undefined;
}

function addRow(layout: Layout, text: string, depth: number, takesBrace = false): Row {
  const row: Row = { depth, text, comment: undefined, takesBrace };
  if (layout.blank) layout.rows.push({ ...row, text: "", takesBrace: false });
  layout.blank = false;
  layout.rows.push(row);
  return row;
}

/** keepalived nests five blocks at most; a file of braces alone must not grow by the square of its length. */
const depthMax = 16;

function render({ depth, text, comment }: Row): string {
  const line = comment === undefined ? text : `${text} ${comment}`;
  if (line === "") return "";
  const indented = " ".repeat(4 * Math.min(depthMax, Math.max(0, depth))) + line;
  return octetsOf(indented) < lineOctetsMax ? indented : line;
}
