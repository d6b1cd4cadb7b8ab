// One attempt of a check, whatever its type: an outcome and nothing else. When, how often, and what follows from it is the
// check machine's (libs/health).
import type { SecureContext } from "node:tls";
import type { ProbeOutcome } from "@baton/health";
import type { CheckerConfig } from "@baton/keepalived-conf";
import { probeDns } from "./dns.ts";
import { probeHttp, probeSsl } from "./http.ts";
import { probePing } from "./ping.ts";
import { type ProgramSurroundings, probeMisc } from "./program.ts";
import { probeSmtp } from "./smtp.ts";
import { probeTcp } from "./tcp.ts";
import { probeUdp } from "./udp.ts";

/** FILE_CHECK and BFD_CHECK follow what somebody else observes: there is nothing to try. */
export type ProbedConfig = Exclude<CheckerConfig, { readonly type: "FILE_CHECK" | "BFD_CHECK" }>;

export interface ProbeOptions {
  /** Ends the attempt without a verdict; all that it opened is closed when the promise resolves. */
  readonly signal: AbortSignal;
  /** HTTP_GET and SSL_GET: which of the urls. */
  readonly url: number;
  /** SSL_GET: of `loadTls`. */
  readonly tls: SecureContext;
  /** MISC_CHECK. */
  readonly program: ProgramSurroundings;
}

/** Never rejects. Sockets belong to the network namespace in which this is called. */
export function probe(config: ProbedConfig, { signal, url, tls, program }: ProbeOptions): Promise<ProbeOutcome> {
  switch (config.type) {
    case "TCP_CHECK":
      return probeTcp(config, signal);
    case "HTTP_GET":
      return probeHttp(config, url, signal);
    case "SSL_GET":
      return probeSsl(config, url, tls, signal);
    case "SMTP_CHECK":
      return probeSmtp(config, signal);
    case "DNS_CHECK":
      return probeDns(config, signal);
    case "PING_CHECK":
      return probePing(config, signal);
    case "UDP_CHECK":
      return probeUdp(config, signal);
    case "MISC_CHECK":
      return probeMisc(config, program, signal);
  }
}
