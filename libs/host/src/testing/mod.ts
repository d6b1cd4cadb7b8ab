// For the tests of services: a Host in memory.
export { TestBus } from "./test-bus.ts";
export { createTestClock, type TestClock } from "./test-clock.ts";
export {
  createTestHost,
  type LoggedLine,
  type PlayedService,
  type TestHost,
  type TestHostOptions,
} from "./test-host.ts";
