// Who waits for which answer of the machine: each gets it, hears that it is late, or that none will come any more.

export interface Answers {
  /** Rejects with `late()` when nothing came in time. */
  wait(name: string, seconds: number, late: () => string): Promise<number>;
  /** An answer nobody waits for is none. */
  arrive(name: string, code: number): void;
  /** Whoever waits, now or later, hears this. */
  end(reason: string): void;
}

interface Waiting {
  readonly resolve: (code: number) => void;
  readonly reject: (error: Error) => void;
}

export function makeAnswers(): Answers {
  const waiting = new Map<string, Waiting>();
  const over: { reason: string | undefined } = { reason: undefined };
  const take = (name: string): Waiting | undefined => {
    const found = waiting.get(name);
    waiting.delete(name);
    return found;
  };
  return {
    wait: (name, seconds, late) => {
      if (over.reason !== undefined) return Promise.reject(new Error(over.reason));
      const answer = new Promise<number>((resolve, reject) => waiting.set(name, { resolve, reject }));
      const timer = setTimeout(() => take(name)?.reject(new Error(late())), seconds * 1000);
      return answer.finally(() => clearTimeout(timer));
    },
    arrive: (name, code) => take(name)?.resolve(code),
    end: (reason) => {
      over.reason = reason;
      for (const name of [...waiting.keys()]) take(name)?.reject(new Error(reason));
    },
  };
}
