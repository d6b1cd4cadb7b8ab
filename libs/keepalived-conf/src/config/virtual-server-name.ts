// What a virtual server is called in events, FIFO lines and by operators: keepalived's way of writing it, made unique.
import type { VirtualServerConfig } from "./virtual-server.ts";

/** `[192.0.2.1]:tcp:80`, `FWM 5` (IPv6: `FWM 5 inet6`), or `[group]:0`: no two of one configuration are equal. */
export function virtualServerName({
  id,
  family,
  protocol,
}: Pick<VirtualServerConfig, "id" | "family" | "protocol">): string {
  switch (id.kind) {
    case "address":
      return `[${id.address}]:${protocol ?? "none"}:${id.port}`;
    case "fwmark":
      return family === 6 ? `FWM ${id.mark} inet6` : `FWM ${id.mark}`;
    case "group":
      return `[${id.name}]:${id.index}`;
  }
}
