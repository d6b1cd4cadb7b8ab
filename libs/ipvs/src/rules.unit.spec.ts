import { describe, expect, test } from "vitest";
import { type Destination, ipvsadmRules, type Service, serviceFlags, sortRules } from "./mod.ts";
import { aDestination, addressKey, aService, markKey, withDestinations } from "./testing/mod.ts";

const { persistent, onePacket, sched1, sched2, sched3 } = serviceFlags;
const web = addressKey("192.0.2.1");

const ruleOf = (service: Service): string => ipvsadmRules([withDestinations(service)])[0] ?? "";

describe("a service", () => {
  test.each<[Service, string]>([
    [aService(web), "-A -t 192.0.2.1:80 -s rr"],
    [aService(addressKey("192.0.2.1", "udp", 53)), "-A -u 192.0.2.1:53 -s rr"],
    [aService(addressKey("2001:db8::1", "sctp", 0)), "-A --sctp-service [2001:db8::1]:0 -s rr"],
    [aService(markKey(7)), "-A -f 7 -s rr"],
    [aService(markKey(7, 6), { scheduler: "wlc" }), "-A -f 7 -6 -s wlc"],
    [aService(markKey(2 ** 32 - 1)), "-A -f -1 -s rr"],
    [aService(web, { flags: persistent, timeoutSeconds: 360 }), "-A -t 192.0.2.1:80 -s rr -p 360"],
    [
      aService(web, { flags: persistent, timeoutSeconds: 50, netmask: 0xfffffe00, engine: "sip" }),
      "-A -t 192.0.2.1:80 -s rr -p 50 -M 255.255.254.0 --pe sip",
    ],
    [aService(markKey(1, 6), { flags: persistent, timeoutSeconds: 50, netmask: 64 }), "-A -f 1 -6 -s rr -p 50 -M 64"],
    // Without the flag the rest is not in force.
    [aService(web, { timeoutSeconds: 50, netmask: 0xffffff00, engine: "sip" }), "-A -t 192.0.2.1:80 -s rr"],
    [aService(web, { flags: onePacket }), "-A -t 192.0.2.1:80 -s rr -o"],
    [
      aService(web, { scheduler: "sh", flags: sched1 | sched2 | onePacket }),
      "-A -t 192.0.2.1:80 -s sh -o -b sh-fallback,sh-port",
    ],
    [aService(web, { scheduler: "mh", flags: sched2 }), "-A -t 192.0.2.1:80 -s mh -b mh-port"],
    [aService(web, { scheduler: "mh", flags: sched3 }), "-A -t 192.0.2.1:80 -s mh -b "],
    [aService(web, { flags: sched1 | sched2 | sched3 }), "-A -t 192.0.2.1:80 -s rr -b flag-1,flag-2,flag-3"],
  ])("%#: %j", (service, expected) => expect(ruleOf(service)).toBe(expected));
});

describe("a destination", () => {
  test.each<[Partial<Destination>, string]>([
    [{}, "-m -w 1"],
    [{ forwarding: { method: "direct-route" }, weight: 0 }, "-g -w 0"],
    [{ forwarding: { method: "local" } }, "-g -w 1"],
    [{ upperThreshold: 9, lowerThreshold: 3 }, "-m -w 1"],
    [{ forwarding: { method: "tunnel", tunnel: { type: "ipip" } } }, "-i -w 1 --tun-type ipip"],
    [
      { forwarding: { method: "tunnel", tunnel: { type: "gue", port: 6080, checksum: "remote" } } },
      "-i -w 1 --tun-type gue --tun-port 6080 --tun-remcsum",
    ],
    [
      { forwarding: { method: "tunnel", tunnel: { type: "gre", checksum: "none" } } },
      "-i -w 1 --tun-type gre --tun-nocsum",
    ],
  ])("%#: %j", (changes, expected) => {
    const rules = ipvsadmRules([withDestinations(aService(web), aDestination("192.0.2.11", changes))]);
    expect(rules[1]).toBe(`-a -t 192.0.2.1:80 -r 192.0.2.11:80 ${expected}`);
  });
});

test("rules are sorted by numbers: addresses before marks, IPv4 first", () => {
  const services = [
    withDestinations(aService(markKey(10))),
    withDestinations(aService(markKey(9, 6))),
    withDestinations(aService(markKey(9, 4))),
    withDestinations(aService(addressKey("2001:db8::1"))),
    withDestinations(aService(addressKey("192.0.2.10", "tcp", 80))),
    withDestinations(aService(addressKey("192.0.2.9", "udp", 80))),
    withDestinations(aService(addressKey("192.0.2.9", "tcp", 443))),
    withDestinations(
      aService(addressKey("192.0.2.9", "tcp", 80)),
      aDestination("192.0.2.100"),
      aDestination("192.0.2.99", { port: 81 }),
      aDestination("192.0.2.99", { port: 9 }),
    ),
  ];
  expect(ipvsadmRules(services).map((rule) => rule.replace(/ -s rr| -m -w 1/, ""))).toEqual([
    "-A -t 192.0.2.9:80",
    "-a -t 192.0.2.9:80 -r 192.0.2.99:9",
    "-a -t 192.0.2.9:80 -r 192.0.2.99:81",
    "-a -t 192.0.2.9:80 -r 192.0.2.100:80",
    "-A -t 192.0.2.9:443",
    "-A -t 192.0.2.10:80",
    "-A -u 192.0.2.9:80",
    "-A -t [2001:db8::1]:80",
    "-A -f 9",
    "-A -f 9 -6",
    "-A -f 10",
  ]);
});

test("two prints of one table are the same once they are sorted", () => {
  const printed = ["-A -t b -s rr", "-a -t b -r 2", "-a -t b -r 1", "-A -t a -s rr ", "-a -t a -r 3", ""];
  expect(sortRules(printed)).toEqual([
    "-A -t a -s rr",
    "-a -t a -r 3",
    "-A -t b -s rr",
    "-a -t b -r 1",
    "-a -t b -r 2",
  ]);
  expect(sortRules(sortRules(printed))).toEqual(sortRules(printed));
});
