// Where a command speaks and how it ends.
export interface Console {
  /** Octets: what is to come out as it is, in whatever encoding it has. */
  out(text: string | Uint8Array): void;
  error(line: string): void;
}
