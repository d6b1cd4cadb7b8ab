import { expect, test } from "vitest";
import { forwardingErrors } from "./forwarding.ts";
import { configOf, virtualServer } from "./testing/rig.ts";

const off = () => "0";

test("a machine that does not forward is told of where servers are reached by NAT, by family", () => {
  const config = configOf(virtualServer("192.0.2.1 80", [1]));
  expect(forwardingErrors(config, off)).toEqual([
    "net.ipv4.ip_forward is 0: servers that are reached by NAT are not reached",
  ]);
  expect(forwardingErrors(config, () => "1")).toEqual([]);
  expect(forwardingErrors(config, () => undefined)).toEqual([]);
  const six = virtualServer("2001:db8::1 80", []).replace("}\n", "real_server 2001:db8::2 80 {\n}\n}\n");
  expect(forwardingErrors(configOf(six), off)).toEqual([
    "net.ipv6.conf.all.forwarding is 0: servers that are reached by NAT are not reached",
  ]);
});

test("elsewhere it may be as it is", () => {
  expect(forwardingErrors(configOf(virtualServer("192.0.2.1 80", [1], "lb_kind DR")), off)).toEqual([]);
});
