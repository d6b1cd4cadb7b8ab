// Testimonies of the routers of a segment (SAFETY S13) between the node's election and the hub, core NATS only: nothing is
// kept, nothing comes again. The election speaks with nobody that has not passed here: a flood ends here, and what makes
// no sense does.
import { subjectToken, Testimony, TestimonyKind, WitnessServiceClient } from "@baton/contracts";
import { type Hub, witnessPrefix } from "@baton/event-log";
import { clientOptions } from "@baton/host";
import { type ClientDuplexStream, credentials } from "@grpc/grpc-js";

/** The election's end. */
export interface WitnessLine {
  send(testimony: Testimony): void;
  close(): void;
}

export interface WitnessRelayOptions {
  readonly node: string;
  readonly hub: Pick<Hub, "sendSignal" | "onSignal">;
  openLine(onTestimony: (testimony: Testimony) => void): WitnessLine;
  /** Milliseconds that only rise. */
  nowMillis(): number;
}

/** A link that goes takes some hundred instances with it; beyond this a second, somebody is doing harm. */
const perSecond = 500;
const lengthMax = 1_024;

export const witnessSubject = (node: string): string => `${witnessPrefix}.${subjectToken(node)}`;

export function relayWitnesses({ node, hub, openLine, nowMillis }: WitnessRelayOptions): { close(): void } {
  const own = witnessSubject(node);
  const allowed = limiter(perSecond, nowMillis);
  const line = openLine((testimony) => void hub.sendSignal(own, JSON.stringify(Testimony.toJSON(testimony))));
  const signals = hub.onSignal(`${witnessPrefix}.*`, (subject, text) => {
    if (subject === own || !allowed()) return;
    const testimony = decodeTestimony(text);
    if (testimony !== undefined) line.send(testimony);
  });
  return {
    close: () => {
      signals.close();
      line.close();
    },
  };
}

/** Undefined when it is none: who may publish may publish nonsense. */
export function decodeTestimony(text: string): Testimony | undefined {
  if (text.length > lengthMax) return undefined;
  try {
    const json: unknown = JSON.parse(text);
    if (typeof json !== "object" || json === null || Array.isArray(json)) return undefined;
    const { segment, address, nonce, family, vrid } = json as Record<string, unknown>;
    if (typeof segment !== "string" || typeof address !== "string") return undefined;
    if (nonce !== undefined && typeof nonce !== "string") return undefined;
    if (!isCount(family) || !isCount(vrid)) return undefined;
    const testimony = Testimony.fromJSON(json);
    return testimony.kind === TestimonyKind.UNRECOGNIZED ? undefined : testimony;
  } catch {
    return undefined;
  }
}

const isCount = (value: unknown): boolean => Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 255;

function limiter(max: number, nowMillis: () => number): () => boolean {
  let since = nowMillis();
  let used = 0;
  return () => {
    const now = nowMillis();
    if (now - since >= 1_000) [since, used] = [now, 0];
    return used++ < max;
  };
}

const reconnectMillis = 250;

/** A stream to the election's socket that comes back whenever the election does. */
export function openWitnessLine(socket: string, onTestimony: (testimony: Testimony) => void): WitnessLine {
  const client = new WitnessServiceClient(`unix:${socket}`, credentials.createInsecure(), clientOptions);
  let stream: ClientDuplexStream<Testimony, Testimony> | undefined;
  let retry: NodeJS.Timeout | undefined;
  let closed = false;
  const connect = (): void => {
    const opened = client.exchange();
    stream = opened;
    const ended = (): void => {
      if (closed || stream !== opened) return;
      stream = undefined;
      retry = setTimeout(connect, reconnectMillis);
    };
    opened.on("data", onTestimony);
    opened.on("error", ended);
    opened.on("end", ended);
  };
  connect();
  return {
    // Live or never: what is said while the election is away is not said later.
    send: (testimony) => void stream?.write(testimony),
    close: () => {
      closed = true;
      clearTimeout(retry);
      stream?.cancel();
      client.close();
    },
  };
}
