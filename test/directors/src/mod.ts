// Directors in the small machine, and crowds of servers, for measurements.
export { type Attempts, readAttempts, tcpdumpCommand } from "./scale/attempts.ts";
export {
  addedServer,
  crowdConfig,
  crowdPort,
  delayLoopSeconds,
  doorAddress,
  doorCount,
  doorPort,
  serversMain,
  serversNetwork,
} from "./scale/crowd.ts";
export { measureProgramming, measureRunning } from "./scale/programming.ts";
