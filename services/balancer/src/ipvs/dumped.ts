// A service that was just programmed, as the next dump will say it.
import { type DumpedService, destinationName, type WantedService } from "@baton/ipvs";

const countsOfNone = { active: 0, inactive: 0, persistent: 0 };
const trafficOfNone = { connections: 0, inPackets: 0, outPackets: 0, inBytes: 0, outBytes: 0 };

/** But for what has been counted since. */
export function asDumped(service: WantedService, before: DumpedService | undefined): DumpedService {
  const known = new Map(before?.destinations.map((each) => [destinationName(each), each]));
  return {
    ...service,
    traffic: before?.traffic ?? trafficOfNone,
    destinations: service.destinations.map((each) => {
      const { connections = countsOfNone, traffic = trafficOfNone } = known.get(destinationName(each)) ?? {};
      return { ...each, connections, traffic };
    }),
  };
}
