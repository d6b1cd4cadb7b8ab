// The terminal: lines that stay, and on a terminal one line below them that is written anew: who is master, and how the
// client's probes fare.

export interface Screen {
  write(text: string): void;
  readonly isTerminal: boolean;
  /** Width of the terminal; a line that wraps could not be written anew. */
  readonly columns?: number | undefined;
}

export interface Standing {
  /** State of each node, in order; "" while it is not known. */
  readonly states: readonly (readonly [node: string, state: string])[];
  readonly probes:
    | { readonly sent: number; readonly answered: number; readonly lost: number; readonly by: string }
    | undefined;
}

const clearLine = "\r\u001b[2K";
const bold = (text: string): string => `\u001b[1m${text}\u001b[22m`;

export function standingText({ states, probes }: Standing): string {
  const nodes = states.map(([node, state]) => `${node} ${state === "" ? "…" : state === "master" ? "MASTER" : state}`);
  if (probes === undefined) return nodes.join("   ");
  const count = (value: number): string => value.toLocaleString("en-US");
  const by = probes.by === "" ? "nobody answers" : `${probes.by} answers`;
  return `${nodes.join("   ")}   │ ${count(probes.answered)} probes answered, ${count(probes.lost)} lost, ${by}`;
}

export class View {
  readonly #screen: Screen;
  #standing: Standing = { states: [], probes: undefined };
  #shown = false;

  constructor(screen: Screen) {
    this.#screen = screen;
  }

  /** A line that stays. */
  line(text = ""): void {
    this.#erase();
    this.#screen.write(`${text}\n`);
    this.#draw();
  }

  heading(text: string): void {
    this.line();
    this.line(this.#screen.isTerminal ? bold(text) : text);
  }

  standing(change: Partial<Standing>): void {
    this.#standing = { ...this.#standing, ...change };
    this.#erase();
    this.#draw();
  }

  /** Nothing is drawn after this but lines. */
  close(): void {
    this.#erase();
    this.#standing = { states: [], probes: undefined };
  }

  #erase(): void {
    if (this.#shown) this.#screen.write(clearLine);
    this.#shown = false;
  }

  #draw(): void {
    if (!this.#screen.isTerminal || this.#standing.states.length === 0) return;
    // A terminal that does not know its width says 0.
    const columns = this.#screen.columns || 80;
    this.#screen.write(standingText(this.#standing).slice(0, columns - 1));
    this.#shown = true;
  }
}
