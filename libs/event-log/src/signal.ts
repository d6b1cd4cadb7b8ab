// Short messages on core NATS: told now or never. For what is repeated anyway, such as a node's heartbeat to the hub;
// nothing that must not be lost goes this way.
import type { NatsBus } from "./nats-bus.ts";

/** False when there is no connection: the message is dropped. */
export function sendSignal(bus: Pick<NatsBus, "connection">, subject: string, text: string): boolean {
  const { connection } = bus;
  if (connection === undefined || connection.isClosed()) return false;
  connection.publish(subject, Buffer.from(text));
  return true;
}

/** Goes on with each new connection. */
export function receiveSignals(
  bus: Pick<NatsBus, "connection" | "onStatus">,
  filter: string,
  handler: (subject: string, text: string) => void,
): { close(): void } {
  let subscription: { unsubscribe(): void } | undefined;
  const status = bus.onStatus((connected) => {
    subscription = connected
      ? bus.connection?.subscribe(filter, {
          callback: (error, message) => {
            if (error === null) handler(message.subject, Buffer.from(message.data).toString("utf8"));
          },
        })
      : undefined;
  });
  return {
    close: () => {
      status.close();
      subscription?.unsubscribe();
    },
  };
}
