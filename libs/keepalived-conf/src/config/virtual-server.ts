// `virtual_server`, its real servers and their checkers.
import type { IpAddress, Micros } from "@baton/domain";

/** `virtual_server`: parsed and validated; carried out by a later release. */
export interface VirtualServerConfig {
  readonly id:
    | { readonly kind: "address"; readonly address: IpAddress; readonly port: number }
    | { readonly kind: "fwmark"; readonly mark: number }
    | { readonly kind: "group"; readonly name: string };
  readonly protocol: "tcp" | "udp" | "sctp";
  readonly scheduler: string;
  readonly forwarding: "masquerade" | "direct-route" | "tunnel";
  readonly delayLoop: Micros;
  /** 0: no persistence. */
  readonly persistenceTimeout: Micros;
  readonly realServers: readonly RealServerConfig[];
  readonly sorryServer: { readonly address: IpAddress; readonly port: number } | undefined;
  readonly quorum: number;
  readonly hysteresis: number;
}

export interface RealServerConfig {
  readonly address: IpAddress;
  readonly port: number;
  readonly weight: number;
  readonly checkers: readonly CheckerConfig[];
}

export interface CheckerConfig {
  readonly type:
    | "TCP_CHECK"
    | "HTTP_GET"
    | "SSL_GET"
    | "SMTP_CHECK"
    | "DNS_CHECK"
    | "PING_CHECK"
    | "UDP_CHECK"
    | "MISC_CHECK"
    | "FILE_CHECK"
    | "BFD_CHECK";
  readonly connectPort: number | undefined;
  readonly connectTimeout: Micros;
  readonly retry: number;
  readonly delayBeforeRetry: Micros;
  readonly urls: readonly {
    readonly path: string;
    readonly statusCodes: readonly { readonly min: number; readonly max: number }[];
    readonly digest: string | undefined;
  }[];
}
