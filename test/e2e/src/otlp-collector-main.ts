// A collector for tests, run inside a router's namespace: takes OTLP over HTTP/protobuf and over gRPC, and appends each
// span as one JSON line to a file. Usage: node otlp-collector.js FILE PROTO HTTP_PORT GRPC_PORT
import { appendFileSync } from "node:fs";
import { createServer } from "node:http";
import { Server, ServerCredentials, type ServiceClientConstructor } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";

interface KeyValue {
  readonly key: string;
  readonly value?: Readonly<Record<string, string | number | boolean>>;
}
interface WireSpan {
  readonly traceId: Buffer;
  readonly spanId: Buffer;
  readonly parentSpanId: Buffer;
  readonly name: string;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly KeyValue[];
  readonly links: readonly { traceId: Buffer; spanId: Buffer; attributes: readonly KeyValue[] }[];
}
interface ExportRequest {
  readonly resourceSpans: readonly {
    resource?: { attributes: readonly KeyValue[] };
    scopeSpans: readonly { spans: readonly WireSpan[] }[];
  }[];
}

const [file, proto, httpPort, grpcPort] = process.argv.slice(2);
if (file === undefined || proto === undefined) throw new Error("usage: otlp-collector FILE PROTO HTTP_PORT GRPC_PORT");

const definition = loadSync(proto, { longs: String, defaults: true, oneofs: false });
const service = "opentelemetry.proto.collector.trace.v1.TraceService";
const method = (definition[service] as unknown as ServiceClientConstructor["service"]).Export;
if (method === undefined) throw new Error("the proto file lacks TraceService.Export");

const attributes = (list: readonly KeyValue[] = []): Record<string, string | number | boolean> =>
  Object.fromEntries(list.map(({ key, value }) => [key, Object.values(value ?? {})[0] ?? ""]));

function record(request: ExportRequest): void {
  for (const { resource, scopeSpans } of request.resourceSpans) {
    for (const span of scopeSpans.flatMap((each) => each.spans)) {
      const line = {
        traceId: span.traceId.toString("hex"),
        spanId: span.spanId.toString("hex"),
        parentSpanId: span.parentSpanId.toString("hex"),
        name: span.name,
        startNanos: span.startTimeUnixNano,
        endNanos: span.endTimeUnixNano,
        attributes: attributes(span.attributes),
        links: span.links.map((link) => ({
          traceId: link.traceId.toString("hex"),
          spanId: link.spanId.toString("hex"),
          attributes: attributes(link.attributes),
        })),
        resource: attributes(resource?.attributes),
      };
      appendFileSync(file as string, `${JSON.stringify(line)}\n`);
    }
  }
}

createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    record(method.requestDeserialize(Buffer.concat(chunks)) as ExportRequest);
    response.writeHead(200, { "content-type": "application/x-protobuf" }).end();
  });
}).listen(Number(httpPort), "127.0.0.1");

const grpc = new Server();
grpc.addService(
  { Export: method },
  {
    Export: (call: { request: ExportRequest }, done: (error: null, reply: object) => void) => {
      record(call.request);
      done(null, {});
    },
  },
);
grpc.bindAsync(`127.0.0.1:${grpcPort}`, ServerCredentials.createInsecure(), (error) => {
  if (error !== null) throw error;
  process.stdout.write("ready\n");
});
