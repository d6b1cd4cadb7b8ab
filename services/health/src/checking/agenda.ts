// What is due when, for thousands: a heap of deadlines and one timer of the kernel. Wakes up at whole five milliseconds
// for all that is due by then, and lets the loop turn between portions.
import { type Instant, instant } from "@baton/domain";
import type { DeadlineTimer } from "@baton/linux";

export interface Agenda {
  entry(onDue: () => void): AgendaEntry;
  close(): void;
}

export interface AgendaEntry {
  /** Replaces what was set before; undefined: never. It is over when it has come. */
  set(at: Instant | undefined): void;
}

export interface AgendaOptions {
  readonly now: () => Instant;
  readonly openTimer: (onDeadline: () => void) => DeadlineTimer;
}

export const limits = {
  /** A thousand checks a second would be a thousand turns of the loop. */
  gridMicros: 5_000,
  /** What is due at once, for one turn of the loop. */
  portion: 128,
} as const;

interface Appointment {
  readonly at: Instant;
  readonly owner: Owner;
}

interface Owner {
  at: Instant | undefined;
  readonly onDue: () => void;
}

export function createAgenda({ now, openTimer }: AgendaOptions): Agenda {
  const heap: Appointment[] = [];
  const timer = openTimer(() => {
    carryOut();
    arm();
  });
  let closed = false;

  const isStale = ({ at, owner }: Appointment): boolean => owner.at !== at;

  function carryOut(): void {
    const until = now();
    for (let left = limits.portion; left > 0; left--) {
      const first = nextOf(heap, isStale);
      if (first === undefined || first.at > until || closed) return;
      pop(heap);
      first.owner.at = undefined;
      first.owner.onDue();
    }
  }

  function arm(): void {
    if (closed) return;
    const first = nextOf(heap, isStale);
    timer.arm(first === undefined ? undefined : onGrid(first.at));
  }

  return {
    entry: (onDue) => {
      const owner: Owner = { at: undefined, onDue };
      return {
        set: (at) => {
          if (owner.at === at || closed) return;
          owner.at = at;
          if (at !== undefined) push(heap, { at, owner });
          // Only what comes first moves the timer.
          if (heap[0]?.owner === owner || at === undefined) arm();
        },
      };
    },
    close: () => {
      closed = true;
      timer.close();
    },
  };
}

const onGrid = (at: Instant): Instant => instant(Math.ceil(at / limits.gridMicros) * limits.gridMicros);

/** The first that still stands; what does not is taken out. */
function nextOf(heap: Appointment[], isStale: (each: Appointment) => boolean): Appointment | undefined {
  for (;;) {
    const first = heap[0];
    if (first === undefined || !isStale(first)) return first;
    pop(heap);
  }
}

function push(heap: Appointment[], added: Appointment): void {
  let index = heap.length;
  heap.push(added);
  while (index > 0) {
    const above = (index - 1) >> 1;
    const parent = heap[above];
    if (parent === undefined || parent.at <= added.at) break;
    heap[index] = parent;
    index = above;
  }
  heap[index] = added;
}

function pop(heap: Appointment[]): void {
  const last = heap.pop();
  if (last === undefined || heap.length === 0) return;
  let index = 0;
  for (;;) {
    const left = 2 * index + 1;
    const right = left + 1;
    const a = heap[left];
    if (a === undefined) break;
    const b = heap[right];
    const [child, at] = b !== undefined && b.at < a.at ? [b, right] : [a, left];
    if (child.at >= last.at) break;
    heap[index] = child;
    index = at;
  }
  heap[index] = last;
}
