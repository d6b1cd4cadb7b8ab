import { afterEach, expect, test } from "vitest";
import { LinuxError } from "./error.ts";
import { decodeFamily, familyRequest, NETLINK_GENERIC } from "./generic-netlink.ts";
import { type NetlinkClient, openNetlinkClient } from "./netlink-socket.ts";

const held: { client: NetlinkClient | undefined } = { client: undefined };
afterEach(() => held.client?.close());

test("a family has a number, and one that does not exist has none; the next question has its own answer", () => {
  const client = openNetlinkClient(NETLINK_GENERIC);
  held.client = client;
  const numberOf = (name: string) => client.ask(familyRequest(name), decodeFamily);
  expect(numberOf("nlctrl")).toBe(0x10); // the one that answers
  expect(() => numberOf("nonesuch")).toThrow(LinuxError);
  expect(() => numberOf("nonesuch")).toThrow(/^\[ENOENT\]/);
  expect(numberOf("nlctrl")).toBe(0x10);
});
