// Configurations that nobody has thought of: whatever goes together in one virtual server.
import fc from "fast-check";
import { type Configuration, configurationOf, type Host, real, service } from "./configurations.ts";

const line = (...lines: string[]): fc.Arbitrary<string> => fc.constantFrom("", ...lines);
const number = (min: number, max: number): fc.Arbitrary<number> => fc.integer({ min, max });

/** A server may say how packets get to it, how much it gets, and what becomes of it when it fails. */
const serverLines = fc
  .tuple(
    number(0, 10).map((weight) => `weight ${weight}`),
    line("lvs_method NAT", "lvs_method DR", "lvs_method TUN", "lvs_method TUN type gre csum"),
    line("inhibit_on_failure"),
    line("uthreshold 10", "uthreshold 10\nlthreshold 5"),
  )
  .map((lines) => lines.join("\n"));

const checked = (host: Host, network: string): fc.Arbitrary<string> =>
  fc
    .record({ lines: serverLines, check: fc.constantFrom("weight 0", "weight 0", "weight 2"), port: number(80, 81) })
    .map((how) => real(host, { ...how, network }));

const unchecked = (network: string): fc.Arbitrary<string> =>
  serverLines.map((lines) => `real_server ${network}13 80 {\n${lines}\n}\n`);

const serversOf = (network: string): fc.Arbitrary<string> =>
  fc
    .tuple(checked("11", network), fc.option(checked("12", network)), fc.option(unchecked(network)))
    .map((servers) => servers.filter((each) => each !== null).join(""));

const quorum = number(1, 12).chain((wanted) =>
  number(0, wanted - 1).map((hysteresis) => `quorum ${wanted}\nhysteresis ${hysteresis}`),
);

/** `place` keeps it apart from the other services of its file. */
const serviceAt = (place: number): fc.Arbitrary<string> =>
  fc.boolean().chain((isNew) => {
    const network = isNew ? "2001:db8::" : "192.0.2.";
    const [mark, address] = [`fwmark ${place}`, `${network}20${place} 80`];
    return fc
      .tuple(
        fc.constantFrom(mark, address, address, address),
        fc.tuple(
          fc.constantFrom(isNew ? "ip_family inet6" : "ip_family inet"),
          fc.constantFrom("protocol TCP", "protocol UDP", "protocol SCTP", "protocol UDP\nops"),
          fc
            .constantFrom("rr", "wrr", "wlc", "sh\nsh-port", "mh\nmh-fallback", "sed\nflag-2")
            .map((name) => `lb_algo ${name}`),
          fc.constantFrom("lb_kind NAT", "lb_kind DR", "lb_kind TUN"),
          line(
            "persistence_timeout 30",
            `persistence_timeout 30\npersistence_granularity ${isNew ? "48" : "255.255.0.0"}`,
          ),
          line(`sorry_server ${network}99 80`, `sorry_server ${network}99 80\nsorry_server_inhibit`),
          line("inhibit_on_failure"),
          line("alpha"),
          fc.oneof(fc.constant(""), quorum),
        ),
        serversOf(network),
      )
      .map(([id, lines, servers]) => service(id, lines.join("\n"), servers));
  });

const several = fc.tuple(serviceAt(1), fc.option(serviceAt(2)), fc.option(serviceAt(3)));

/** The same ones for the same seed. */
export const generatedConfigurations = (count: number, seed: number): Configuration[] =>
  fc
    .sample(several, { numRuns: count, seed })
    .map((services, i) => configurationOf(`chance, ${i + 1}`, services.filter((each) => each !== null).join("")));
