// Hears of the balancer which servers nobody is connected to any more. There is a balancer only where there are virtual
// servers: elsewhere nobody looks for it.
import type { ConfigSnapshot, Host } from "@baton/host";
import type { RealServers } from "./real-servers.ts";

export interface IdleFollower {
  apply(snapshot: ConfigSnapshot): void;
  close(): void;
}

export function createIdleFollower({ events }: Pick<Host, "events">, servers: Pick<RealServers, "idle">): IdleFollower {
  let following: { close(): void } | undefined;
  const follow = (): { close(): void } =>
    events.follow("balancer", ["balancer"], {
      snapshot: () => undefined,
      event: ({ id, correlationId, traceparent, event }) => {
        if (event.type !== "server-idle") return;
        servers.idle(event.data.virtualServer, event.data.server, { id, correlationId, traceparent });
      },
    });
  const close = (): void => {
    following?.close();
    following = undefined;
  };
  return {
    apply: ({ config }) => {
      if (config.virtualServers.length > 0) following ??= follow();
      else close();
    },
    close,
  };
}
