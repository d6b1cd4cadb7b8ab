// Everything has a named limit; each says what it protects.
export const limits = {
  /** The largest VRRP message: 8 bytes, 255 IPv6 addresses and a trailer of 28 bytes, and room for an IPv4 header with options. */
  datagramBytes: 60 + 8 + 255 * 16 + 28,
  /**
   * What a socket holds while the process is stopped: one advert a second of 255 virtual routers for several seconds.
   * The kernel doubles it, and counts at least 768 bytes a datagram: at most 2,731.
   */
  receiveBufferBytes: 1024 * 1024,
  /** What nobody expects waits in so much until it is looked at: some 40 packets. */
  strangerBufferBytes: 16 * 1024,
  /** All that waited when a drain began comes out (SAFETY S2), but no more: a flood must not keep it going. */
  datagramsPerDrain: 4_096,
  /** On a wake only so many, then timers and other descriptors have their turn: a flood must not make adverts late. */
  datagramsPerTurn: 64,
  /** The kernel works inside send(2): about 2 ms of blocked loop a chunk, and its acks must fit the buffer (SAFETY S17). */
  changesPerSend: 100,
  /** Room for the events of some thousand changes between two turns of the loop (SAFETY S17); the kernel doubles it. */
  netlinkBufferBytes: 4 * 1024 * 1024,
  /** How often a dump is asked for anew because the table changed while it was read. */
  dumpAttempts: 8,
  /** A burst of a few thousand gratuitous ARPs before the first has left; the kernel doubles it. */
  arpSendBufferBytes: 4 * 1024 * 1024,
  /** Announcements that one call hands to the kernel. */
  framesPerSend: 64,
  /** The longest announcement is one of IPv6: 86 bytes. */
  frameBytes: 96,
  arpPacketsPerTurn: 256,
  /** An advertisement with some options more than it needs. */
  neighbourMessageBytes: 256,
  /** A nested netlink attribute has at most 65,535 bytes; an address takes 20 of them. */
  silencedPerMessage: 1_000,
} as const;
