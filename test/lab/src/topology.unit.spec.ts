import { expect, test } from "vitest";
import { buildCommands, cableCommands, namespacesOf, planTopology } from "./topology.ts";

const plain = planTopology({ id: "bt4711a", routers: ["r1", "r2"], hub: false });
const withHub = planTopology({ id: "bt4711a", routers: ["r1", "r2", "r3"], hub: true });

test("addresses leave room for those of the users' files", () => {
  expect([...plain.routers.map(({ address }) => address), plain.client.address]).toEqual([
    "172.16.1.1",
    "172.16.1.2",
    "172.16.9.9",
  ]);
});

test("every namespace carries the lab's id", () => {
  expect(namespacesOf(withHub)).toEqual([
    "bt4711a-br",
    "bt4711a-r1",
    "bt4711a-r2",
    "bt4711a-r3",
    "bt4711a-c",
    "bt4711a-hub",
  ]);
});

test("no command touches the machine's own namespace", () => {
  for (const topology of [plain, withHub]) {
    for (const command of [...buildCommands(topology), ...cableCommands(topology, 2, { client: true })]) {
      const inside = command.startsWith(`-n ${topology.id}-`) || command.startsWith(`netns add ${topology.id}-`);
      const veth = /^link add \S+ netns bt4711a-br type veth peer name \S+ netns bt4711a-\S+$/.test(command);
      expect(inside || veth, command).toBe(true);
    }
  }
});

test("interface names fit into the kernel's 15 characters", () => {
  for (const command of [...buildCommands(withHub), ...cableCommands(withHub, 16, { client: true })]) {
    for (const [, name] of command.matchAll(/(?:add|name|set) ([\w-]+) (?:netns|type)/g)) {
      expect(name?.length).toBeLessThanOrEqual(15);
    }
  }
});

test("a management network only where one is asked for", () => {
  expect(buildCommands(plain).join("\n")).not.toContain("mgmt0");
  expect(buildCommands(withHub).filter((command) => command.includes("peer name mgmt0"))).toHaveLength(4);
});
