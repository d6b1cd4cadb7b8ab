// How many probes run at once: the others wait in the order in which they were due, and how many do is counted.
export interface ProbeQueue {
  /** `begin` is called now or later, once; it resolves when the probe is over and never rejects. */
  add(begin: () => Promise<void>): void;
  configure(max: number): void;
  readonly running: number;
  readonly waiting: number;
}

/** Beginning a probe is a few system calls: so many, and then the loop turns. */
const startsPerTurn = 64;

export function createProbeQueue(max: number): ProbeQueue {
  let limit = max;
  let running = 0;
  let startsLeft = startsPerTurn;
  let turning = false;
  // A queue in two lists: taking the first of one list is linear work.
  let incoming: (() => Promise<void>)[] = [];
  let outgoing: (() => Promise<void>)[] = [];

  const take = (): (() => Promise<void>) | undefined => {
    if (outgoing.length === 0) {
      outgoing = incoming.reverse();
      incoming = [];
    }
    return outgoing.pop();
  };

  function pump(): void {
    while (running < limit && startsLeft > 0) {
      const begin = take();
      if (begin === undefined) return;
      startsLeft--;
      running++;
      void begin().finally(() => {
        running--;
        pump();
      });
    }
    if (startsLeft === 0) nextTurn();
  }

  function nextTurn(): void {
    if (turning) return;
    turning = true;
    setImmediate(() => {
      turning = false;
      startsLeft = startsPerTurn;
      pump();
    });
  }

  return {
    add: (begin) => {
      incoming.push(begin);
      pump();
      // The allowance is for one turn, whoever has begun.
      if (startsLeft < startsPerTurn) nextTurn();
    },
    configure: (next) => {
      limit = next;
      pump();
    },
    get running() {
      return running;
    },
    get waiting() {
      return incoming.length + outgoing.length;
    },
  };
}
