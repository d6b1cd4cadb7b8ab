// Everything has a named limit; each says what it protects.
export const limits = {
  /** A flood must not keep the election inside one drain (SAFETY S2): more than a default receive buffer holds. */
  datagramsPerDrain: 1_024,
  /** The kernel works inside send(2): about 2 ms of blocked loop a chunk, and its acks must fit the buffer (SAFETY S17). */
  changesPerSend: 100,
} as const;
