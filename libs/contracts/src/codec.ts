// The second door: events on the wire without gRPC. The backstage thread of every process encodes and decodes events
// and has no use for a gRPC library, which would cost each of them 5 MB and a tenth of a second.
export { decodeData, encodeData, eventTypes, isEventType } from "./events.ts";
export { decodeMessage, type EncodedEvent, encodeMessage, subjectFilter, subjectOf, subjectToken } from "./nats.ts";
