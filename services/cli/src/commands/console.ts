// Where a command speaks and how it ends.
export interface Console {
  out(text: string): void;
  error(line: string): void;
}
