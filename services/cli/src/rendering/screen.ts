// Where text is going to be read: on a terminal with its width and colours, or by a pipe that wants neither.
import type { When } from "../arguments/parse-arguments.ts";

type Paint = (text: string) => string;

export interface Screen {
  /** undefined: whoever reads does not look at a screen: one thing a line, nothing cut off. */
  readonly columns: number | undefined;
  readonly bold: Paint;
  readonly dim: Paint;
  readonly red: Paint;
  readonly yellow: Paint;
  readonly green: Paint;
  readonly cyan: Paint;
}

const plain: Paint = (text) => text;
/** ECMA-48 SGR; each ends itself, so that what follows is not painted. */
const sgr =
  (on: number, off: number): Paint =>
  (text) =>
    text === "" ? "" : `\u001b[${on}m${text}\u001b[${off}m`;

const colorless = { bold: plain, dim: plain, red: plain, yellow: plain, green: plain, cyan: plain };
const colored = {
  bold: sgr(1, 22),
  dim: sgr(2, 22),
  red: sgr(31, 39),
  yellow: sgr(33, 39),
  green: sgr(32, 39),
  cyan: sgr(36, 39),
};

export const pipe: Screen = { ...colorless, columns: undefined };

interface Terminal {
  readonly isTerminal: boolean;
  readonly columns: number | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
}

const columnsDefault = 80;
const columnsMin = 40;

/** `always` is for pagers: what a terminal would show, whoever reads. NO_COLOR: https://no-color.org */
export function screenFor(when: When, { isTerminal, columns, env }: Terminal): Screen {
  if (!isTerminal && when !== "always") return pipe;
  const wanted = when === "always" || (when === "auto" && (env.NO_COLOR ?? "") === "" && env.TERM !== "dumb");
  return { ...(wanted ? colored : colorless), columns: Math.max(columnsMin, columns ?? columnsDefault) };
}
