import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import type { SpanRecord } from "./span.ts";
import {
  type OtlpEndpoint,
  openSpanExporter,
  type SpanExporterHandle,
  type SpanExporterLimits,
} from "./span-exporter.ts";
import { formatTraceparent, rootContext } from "./traceparent.ts";

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const parent = formatTraceparent(rootContext(new Uint8Array(24).fill(7)));
const linked = formatTraceparent(rootContext(new Uint8Array(24).fill(9)));

const span = (name: string, error?: string): SpanRecord => ({
  name,
  kind: "consumer",
  traceparent: formatTraceparent(rootContext(new Uint8Array(24).map((_, i) => i + name.length))),
  parent,
  startMicros: 1_767_225_600_000_001,
  endMicros: 1_767_225_600_001_502,
  attributes: { "vrrp.vrid": 51, "vrrp.addresses": ["192.0.2.1"], replayed: true },
  links: [{ traceparent: linked, attributes: { "vrrp.advert.sender": "192.0.2.9" } }],
  error,
});

interface Collector {
  readonly endpoint: string;
  readonly bodies: Buffer[];
  status: number;
}

async function httpCollector(): Promise<Collector> {
  const bodies: Buffer[] = [];
  const collector = { endpoint: "", bodies, status: 200 };
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const good = request.url === "/v1/traces" && request.headers["content-type"] === "application/x-protobuf";
      if (good && collector.status === 200) bodies.push(Buffer.concat(chunks));
      response.writeHead(good ? collector.status : 400).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closing.push(() => {
    server.closeAllConnections();
    server.close();
  });
  collector.endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return collector;
}

function open(endpoint: OtlpEndpoint | undefined, limits: Partial<SpanExporterLimits> = {}) {
  const problems: string[] = [];
  const resource = { "service.name": "baton-election", "host.name": "r1" };
  const exporter = openSpanExporter({ resource, onProblem: (text) => problems.push(text), limits });
  closing.push(() => exporter.close());
  if (endpoint !== undefined) exporter.configure(endpoint);
  return { exporter, problems };
}

/** Protobuf writes texts and ids as they are. */
function expectSpan(body: Buffer | undefined): void {
  const record = span("vrrp.transition");
  const [, traceId, spanId] = record.traceparent.split("-");
  for (const text of ["vrrp.transition", "baton-election", "host.name", "vrrp.addresses", "192.0.2.9", "no route"]) {
    expect(body?.includes(text), text).toBe(true);
  }
  for (const id of [traceId, spanId, linked.split("-")[1], parent.split("-")[2]]) {
    expect(body?.includes(Buffer.from(id ?? "", "hex")), id).toBe(true);
  }
  // start_time_unix_nano is a fixed64, little endian.
  const start = Buffer.alloc(8);
  start.writeBigUInt64LE(1_767_225_600_000_001_000n);
  expect(body?.includes(start)).toBe(true);
}

test("spans arrive over HTTP with ids, parent, links, times, attributes and resource", async () => {
  const collector = await httpCollector();
  const { exporter, problems } = open({ endpoint: collector.endpoint, protocol: "http/protobuf" });
  exporter.add(span("vrrp.transition", "no route"));
  expect(await exporter.flush(5_000)).toBe(true);
  expect(collector.bodies).toHaveLength(1);
  expectSpan(collector.bodies[0]);
  expect([exporter.dropped, problems]).toEqual([0, []]);
});

test("spans arrive over gRPC", async () => {
  const grpc = await import("@grpc/grpc-js");
  const bodies: Buffer[] = [];
  const server = new grpc.Server();
  const raw = { serialize: (value: Buffer) => value, deserialize: (bytes: Buffer) => bytes };
  server.addService(
    {
      Export: {
        path: "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
        requestStream: false,
        responseStream: false,
        requestSerialize: raw.serialize,
        requestDeserialize: raw.deserialize,
        responseSerialize: raw.serialize,
        responseDeserialize: raw.deserialize,
      },
    },
    {
      Export: (call: { request: Buffer }, answer: (error: null, response: Buffer) => void) => {
        bodies.push(call.request);
        answer(null, Buffer.alloc(0));
      },
    },
  );
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    ),
  );
  closing.push(() => server.forceShutdown());
  const { exporter } = open({ endpoint: `http://127.0.0.1:${port}`, protocol: "grpc" });
  exporter.add(span("vrrp.transition", "no route"));
  expect(await exporter.flush(5_000)).toBe(true);
  expectSpan(bodies[0]);
});

test("spans that came before the endpoint was known are exported", async () => {
  const collector = await httpCollector();
  const { exporter } = open(undefined);
  exporter.add(span("early"));
  exporter.configure({ endpoint: collector.endpoint, protocol: "http/protobuf" });
  expect(await exporter.flush(5_000)).toBe(true);
  expect(collector.bodies[0]?.includes("early")).toBe(true);
});

test("without an endpoint nothing is kept or dropped", async () => {
  const { exporter } = open(undefined);
  exporter.add(span("early"));
  exporter.configure(undefined);
  for (let i = 0; i < 10_000; i++) exporter.add(span("late"));
  expect(exporter.dropped).toBe(0);
  expect(await exporter.flush(10)).toBe(true);
});

const fill = (exporter: SpanExporterHandle, count: number): void => {
  for (let i = 0; i < count; i++) exporter.add(span(`span ${i}`));
};

test("an unreachable collector: bounded queue, counted drops, told once, and back when it is", async () => {
  const collector = await httpCollector();
  collector.status = 400;
  const { exporter, problems } = open({ endpoint: collector.endpoint, protocol: "http/protobuf" }, { queuedMax: 100 });
  fill(exporter, 300);
  expect(exporter.dropped).toBe(200);
  expect(await exporter.flush(5_000)).toBe(false);
  fill(exporter, 10);
  await exporter.flush(5_000);
  expect(exporter.dropped).toBe(310);
  expect(problems).toHaveLength(1);
  collector.status = 200;
  fill(exporter, 5);
  expect(await exporter.flush(5_000)).toBe(true);
  expect(exporter.dropped).toBe(310);
  collector.status = 400;
  fill(exporter, 1);
  await exporter.flush(5_000);
  expect(problems).toHaveLength(2);
});

test("flush and close end in time although the collector never answers", async () => {
  const server = createServer(() => undefined);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closing.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { exporter } = open({ endpoint, protocol: "http/protobuf" }, { timeoutMs: 300 });
  fill(exporter, 3);
  expect(await exporter.flush(100)).toBe(false);
  await exporter.close();
});

test("an endpoint that is no URL is a problem, not a crash", async () => {
  const { exporter, problems } = open({ endpoint: "nonsense", protocol: "http/protobuf" });
  fill(exporter, 2);
  expect(await exporter.flush(1_000)).toBe(false);
  expect(exporter.dropped).toBe(2);
  expect(problems).toHaveLength(1);
});
