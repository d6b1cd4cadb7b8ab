// The line of a file that a diagnostic is about, and a mark under the text that is meant. Pure.
import { printable } from "@baton/keepalived-conf";

const tabStop = 4;

/** Columns that a character takes on a terminal: Han and their like are wide, combining ones take none. */
function widthOf(character: string): number {
  if (/^\p{M}/u.test(character)) return 0;
  const isWide =
    /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\uff01-\uff60\p{Emoji_Presentation}]/u;
  return isWide.test(character) ? 2 : 1;
}

interface Cell {
  readonly shown: string;
  readonly width: number;
  /** Index of its first UTF-16 unit in the line. */
  readonly at: number;
}

function cellsOf(line: string): Cell[] {
  const cells: Cell[] = [];
  let at = 0;
  let column = 0;
  for (const character of line) {
    const shown = character === "\t" ? " ".repeat(tabStop - (column % tabStop)) : printable(character);
    const width = shown === character ? widthOf(character) : shown.length;
    cells.push({ shown, width, at });
    at += character.length;
    column += width;
  }
  return cells;
}

const width = (cells: readonly Cell[]): number => cells.reduce((sum, cell) => sum + cell.width, 0);
const shown = (cells: readonly Cell[]): string => cells.map((cell) => cell.shown).join("");

/**
 * How many UTF-16 units are meant: the text where it stands there as it is, else (a definition stood there) the word.
 */
function meantLength(line: string, start: number, text: string | undefined): number {
  if (text !== undefined && text !== "" && line.startsWith(text, start)) return text.length;
  return /^(?:"[^"]*"?|\S+)/.exec(line.slice(start))?.[0].length ?? 1;
}

export interface Excerpt {
  readonly line: string;
  /** Blanks and `^`, as long as what it marks. */
  readonly mark: string;
}

/** `column`: 1-based. A line longer than `columns` is cut to where the mark is. */
export function excerpt(line: string, column: number, text: string | undefined, columns: number): Excerpt {
  const start = Math.min(Math.max(0, column - 1), line.length);
  const end = start + meantLength(line, start, text);
  const cells = cellsOf(line.trimEnd());
  const before = cells.filter(({ at }) => at < start);
  const meant = cells.filter(({ at }) => at >= start && at < end);
  const after = cells.filter(({ at }) => at >= end);
  // The mark stays in view, with a third of the line before it.
  const dropped = width(cells) <= columns ? 0 : overflow(before, Math.floor(columns / 3));
  const kept = before.slice(dropped);
  const lead = dropped === 0 ? "" : "…";
  const visible = fit([...kept, ...meant, ...after], columns - lead.length);
  const markWidth = Math.max(1, Math.min(width(meant), width(visible) - width(kept)));
  return {
    line: lead + shown(visible) + (visible.length < kept.length + meant.length + after.length ? "…" : ""),
    mark: " ".repeat(lead.length + width(kept)) + "^".repeat(markWidth),
  };
}

/** How many cells have to go from the front, so that the rest is at most `columns` wide. */
function overflow(cells: readonly Cell[], columns: number): number {
  let rest = width(cells);
  let dropped = 0;
  for (const cell of cells) {
    if (rest <= columns) break;
    rest -= cell.width;
    dropped++;
  }
  return dropped;
}

/** As many as fit, less one for the sign that there are more. */
function fit(cells: readonly Cell[], columns: number): readonly Cell[] {
  if (width(cells) <= columns) return cells;
  let used = 1;
  const kept: Cell[] = [];
  for (const cell of cells) {
    used += cell.width;
    if (used > columns) break;
    kept.push(cell);
  }
  return kept;
}
