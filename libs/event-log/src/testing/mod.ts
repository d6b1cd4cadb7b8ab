// For tests: a real nats-server, the bus in memory, events, waiting.
export { type EventSourceOptions, eventSource } from "./events.ts";
export { MemoryBus, openMemoryBus } from "./memory-bus.ts";
export { startNatsServer, type TestNatsServer } from "./nats-server.ts";
export { until } from "./until.ts";
