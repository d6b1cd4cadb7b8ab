// A reload in which most is as before (the same objects, as the snapshot's reader hands them on): what it leaves alone goes on.
import { createServer } from "node:net";
import type { Config } from "@baton/keepalived-conf";
import { configOf } from "@baton/keepalived-conf/testing";
import { afterEach, expect, test, vi } from "vitest";
import { type CheckedNode, makeCheckedNodes, realServer } from "../testing/checked-node.ts";
import { snapshotOf } from "../testing/fixtures.ts";

const nodes = makeCheckedNodes();
afterEach(() => nodes.clear());

/** One virtual server for each list of ports; all of them are checked. */
const textOf = (...services: readonly (readonly number[])[]): string =>
  services
    .map((ports, at) => {
      const servers = ports.map((port) => realServer("127.0.0.1", port, "TCP_CHECK { retry 0 }"));
      return `virtual_server 192.0.2.${at + 1} 80 {\nprotocol TCP\ndelay_loop 0.05\nwarmup 0\n${servers.join("\n")}\n}\n`;
    })
    .join("");

function sharing(before: Config, after: Config): Config {
  const known = new Map(before.virtualServers.map((each) => [JSON.stringify(each), each]));
  return { ...after, virtualServers: after.virtualServers.map((each) => known.get(JSON.stringify(each)) ?? each) };
}

const destinationsOf = (node: CheckedNode): string[] =>
  node.host
    .states()
    .flatMap(({ state }) => (state?.$case === "virtualServer" ? [state.value] : []))
    .map(({ destinations }) => destinations.map(({ server }) => server.split(":")[1]).join(" "));

test("a server that two services share is lost to both, also when one of them is another since", async () => {
  const shared = createServer();
  const [common, other, third] = [await nodes.listen(shared), await nodes.listen(), await nodes.listen()];
  const node = await nodes.start("");
  const first = configOf(textOf([common, other], [common, other]));
  node.host.applyConfig(snapshotOf(first, 100));
  await vi.waitFor(() => expect(node.checkers().map(({ status }) => status)).toEqual(["up", "up"]));
  const before = node.host.appended.length;
  node.host.applyConfig(snapshotOf(sharing(first, configOf(textOf([common, other], [common, third]))), 101));
  expect(destinationsOf(node)).toEqual([`${common} ${other}`, `${common} ${third}`]);
  const touched = node.host.appended.slice(before).filter(({ aggregate }) => aggregate.kind === "virtual-server");
  expect(new Set(touched.map(({ aggregate }) => aggregate.id))).toEqual(new Set(["[192.0.2.2]:tcp:80"]));
  await new Promise((resolve) => shared.close(resolve));
  await vi.waitFor(() => expect(destinationsOf(node)).toEqual([String(other), String(third)]));
});
