import { describe, expect, test } from "vitest";
import { lintTold } from "../../testing/lint.ts";
import { instance } from "../../testing/parse.ts";

/** Priorities apart, so that nothing else is told. */
const own = (lines = "") => instance(`priority 110\n${lines}`);
const peer = (lines = "") => instance(lines);

describe("unicast", () => {
  const unicast = (source: string, ...peers: string[]) =>
    `${source === "" ? "" : `unicast_src_ip ${source}\n`}unicast_peer {\n${peers.join("\n")}\n}`;
  test.each<[string, string, string, string[]]>([
    ["on both sides", unicast("10.9.0.1", "10.9.0.2"), unicast("10.9.0.2", "10.9.0.1"), []],
    ["on one side", unicast("", "10.9.0.2"), "", ["unicast-on-one-side 6"]],
    ["on the other side", "", unicast("", "10.9.0.1"), ["unicast-on-one-side 1"]],
    ["not heard there", unicast("10.9.0.1", "10.9.0.2"), unicast("10.9.0.2", "10.9.0.3"), ["unicast-not-mutual 7"]],
    ["not heard here", unicast("10.9.0.1", "10.9.0.3"), unicast("10.9.0.2", "10.9.0.1"), ["unicast-not-mutual 7"]],
    ["from addresses that are not written", unicast("", "10.9.0.2"), unicast("", "10.9.0.1"), []],
    ["among three", unicast("10.9.0.1", "10.9.0.2", "10.9.0.3"), unicast("10.9.0.2", "10.9.0.3", "10.9.0.1"), []],
  ])("%s", (_what, here, there, expected) => expect(lintTold(own(here), [peer(there)])).toEqual(expected));
});

test.each<[string, string, string, string[]]>([
  ["alike", "mcast_dst_ip 224.0.0.99", "mcast_dst_ip 224.0.0.99", []],
  ["different", "mcast_dst_ip 224.0.0.99", "mcast_dst_ip 224.0.0.98", ["different-groups 6"]],
  ["standard on one side", "", "mcast_dst_ip 224.0.0.98", ["different-groups 1"]],
  [
    "of no meaning with unicast",
    "mcast_dst_ip 224.0.0.99\nunicast_peer {\n10.9.0.2\n}",
    "unicast_peer {\n10.9.0.1\n}",
    [],
  ],
])("multicast groups: %s", (_what, here, there, expected) =>
  expect(lintTold(own(here), [peer(there)])).toEqual(expected),
);
