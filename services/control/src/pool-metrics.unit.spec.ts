import { VirtualServerState } from "@baton/contracts";
import { expect, test } from "vitest";
import { encodeMetrics } from "./metrics-text.ts";
import { nodeMetrics } from "./node-metrics.ts";
import { seriesMax } from "./pool-metrics.ts";
import { nodeStatus } from "./testing/node-status.ts";
import { lintFamilies, parseExposition } from "./testing/parse-exposition.ts";

const pool = (
  name: string,
  quorumUp: boolean,
  servers: readonly (readonly [name: string, alive: boolean, drain?: string])[],
) =>
  VirtualServerState.fromPartial({
    name,
    quorum: 1,
    quorumUp,
    sorry: !quorumUp,
    servers: servers.map(([server, alive, drain = "none"]) => ({ server, alive, drain })),
  });

const linesOf = (...virtualServers: VirtualServerState[]): string[] => {
  const text = encodeMetrics(nodeMetrics({ status: nodeStatus({ virtualServers }), samples: [], connections: [] }));
  expect(lintFamilies(parseExposition(text).families)).toEqual([]);
  return text.split("\n").filter((line) => /^(virtual|real)_server/.test(line));
};

test("who has quorum, who is live, who is drained", () => {
  const lines = linesOf(
    pool("[192.0.2.1]:tcp:80", true, [
      ["10.0.0.1:80", true],
      ["10.0.0.2:80", false],
    ]),
    pool("FWM 5", false, [["10.0.0.3:80", false, "draining"]]),
  );
  expect(lines).toEqual([
    'virtual_servers{state="quorum"} 1',
    'virtual_servers{state="no-quorum"} 1',
    'virtual_servers{state="sorry"} 1',
    'virtual_servers{state="held"} 0',
    'real_servers{state="live"} 1',
    'real_servers{state="down"} 2',
    'real_servers{state="drained"} 1',
    'virtual_server_quorum{virtual_server_name="[192.0.2.1]:tcp:80"} 1',
    'virtual_server_quorum{virtual_server_name="FWM 5"} 0',
    'virtual_server_live{virtual_server_name="[192.0.2.1]:tcp:80"} 1',
    'virtual_server_live{virtual_server_name="FWM 5"} 0',
    'real_server_up{real_server_address="10.0.0.1:80",virtual_server_name="[192.0.2.1]:tcp:80"} 1',
    'real_server_up{real_server_address="10.0.0.2:80",virtual_server_name="[192.0.2.1]:tcp:80"} 0',
    'real_server_up{real_server_address="10.0.0.3:80",virtual_server_name="FWM 5"} 0',
  ]);
});

test("thousands have totals alone", () => {
  const many = Array.from({ length: seriesMax + 1 }, (_, index) => pool(`FWM ${index}`, true, [["10.0.0.1:80", true]]));
  const lines = linesOf(...many);
  expect(lines).toHaveLength(7);
  expect(lines).toContain(`real_servers{state="live"} ${seriesMax + 1}`);
});

test("a node that balances nothing has none of them", () => {
  expect(linesOf()).toEqual([]);
});
