export type {
  ConfigSource,
  EventReader,
  EventWriter,
  GrpcService,
  Host,
  HostEnv,
  Log,
  Span,
  SpanLink,
  SpanOptions,
  Tracer,
} from "./api.ts";
export type { Settings } from "./settings.ts";
export type { ConfigSnapshot } from "./snapshot.ts";
