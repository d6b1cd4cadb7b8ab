// Prometheus metrics over HTTP, on loopback unless baton.yaml says otherwise. A port that is taken costs the metrics,
// never the node.
import { rm, writeFile } from "node:fs/promises";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { messageOf } from "@baton/domain";
import { contentType } from "./metrics-text.ts";

export interface MetricsAddress {
  readonly host: string;
  readonly port: number;
}

export interface MetricsServer {
  readonly port: number;
  close(): Promise<void>;
}

/** The port in use, for those who asked for any free one. */
export const metricsPortFile = (runDir: string): string => join(runDir, "metrics.port");

/** Rejects when the address cannot be bound. */
export async function openMetricsServer(options: {
  readonly address: MetricsAddress;
  readonly runDir: string;
  /** The document. */
  scrape(): Promise<string>;
}): Promise<MetricsServer> {
  const server = createServer((request, response) => {
    const path = (request.url ?? "/").split("?", 1)[0];
    if (request.method !== "GET" && request.method !== "HEAD") return send(response, 405, "only GET\n");
    if (path !== "/metrics") return send(response, 404, "metrics are at /metrics\n");
    options.scrape().then(
      (text) => send(response, 200, text, contentType),
      (error: unknown) => send(response, 500, `${messageOf(error)}\n`),
    );
  });
  const port = await listen(server, options.address);
  const file = metricsPortFile(options.runDir);
  await writeFile(file, `${port}\n`, { mode: 0o600 });
  return {
    port,
    close: async () => {
      await rm(file, { force: true });
      server.closeAllConnections();
      await new Promise<void>((closed) => server.close(() => closed()));
    },
  };
}

function listen(server: Server, { host, port }: MetricsAddress): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host, port, exclusive: true }, () => {
      server.off("error", reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

function send(response: ServerResponse, status: number, text: string, type = "text/plain; charset=utf-8"): void {
  response.writeHead(status, { "content-type": type, "content-length": Buffer.byteLength(text) });
  response.end(response.req.method === "HEAD" ? undefined : text);
}
