// The stream of the hub as React state. EventSource reconnects by itself; each connection starts with a whole picture,
// so nothing of the time without one has to be remembered.
import { useEffect, useReducer, useState } from "react";
import type { StreamMessages } from "../../src/view.ts";
import { type FleetAction, type FleetState, initialState, reduceFleet } from "./fleet-store.ts";

const messageNames = [
  "fleet",
  "group",
  "group-gone",
  "node",
  "event",
  "hub",
] as const satisfies readonly (keyof StreamMessages)[];
/** After an answer that is no stream EventSource gives up for good; the hub may just be starting. */
const retryMillis = 2_000;

export function useFleet(): FleetState {
  const [state, dispatch] = useReducer(reduceFleet, initialState);
  useEffect(() => followStream(dispatch), []);
  return state;
}

/** Returns how to stop. */
function followStream(dispatch: (action: FleetAction) => void): () => void {
  const abort = new AbortController();
  const connect = (): void => {
    if (abort.signal.aborted) return;
    const source = new EventSource("api/stream");
    abort.signal.addEventListener("abort", () => source.close());
    for (const name of messageNames)
      source.addEventListener(name, ({ data }) => dispatch({ type: name, data: JSON.parse(data) } as FleetAction));
    source.addEventListener("error", () => {
      dispatch({ type: "link", link: "lost" });
      if (source.readyState === EventSource.CLOSED) setTimeout(connect, retryMillis);
    });
  };
  connect();
  return () => abort.abort();
}

/** The time of day, each second. */
export function useNow(): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1_000);
    return () => clearInterval(timer);
  }, []);
  return now;
}
