// `bfd_instance`: a session with a neighbour that tells within milliseconds when it does not answer any more (RFC 5880).
import type { IpAddress } from "@baton/domain";
import { ip } from "./address-arguments.ts";
import { bool, flag, integer, milliseconds, oneWord } from "./arguments.ts";
import { boundedName, weight } from "./line-arguments.ts";
import { type Argument, alias, asBlock, block } from "./table.ts";

const intervalMax = 4_294_967;

const nameMax = 31;

/** A longer name leaves the whole block out. */
const sessionName = oneWord("NAME", `up to ${nameMax} characters`, (word, line, report) =>
  boundedName(word, nameMax, line, report),
);

/** What is no address leaves the whole block out, whatever else it says. */
const neighborAddress: Argument<IpAddress | "malformed"> = {
  ...ip(),
  parse: (line, report) => ip().parse(line, report) ?? "malformed",
};

const neighbor = asBlock("neighbor_ip", neighborAddress, {
  meaning: "The address of the neighbour.",
  repeat: "all",
  default: "none: it has to be given",
});

const ttl = asBlock("ttl", integer({ min: 1, max: 255, strict: true }), {
  meaning: "The TTL or hop limit of its packets.",
  default: "255; 64 for IPv6",
});

export const bfdInstance = block("bfd_instance", {
  meaning: "A BFD session with a neighbour, whose state counts for those who track it.",
  service: "health",
  header: sessionName,
  owners: ["vrrp", "bfd", "checker"],
  unique: true,
  keywords: {
    sourceAddress: asBlock("source_ip", ip(), {
      meaning: "The address that its packets come from.",
      default: "the kernel's choice",
    }),
    neighborAddress: neighbor,
    neighbourAddress: alias("neighbour_ip", neighbor),
    minReceive: asBlock("min_rx", milliseconds(1, intervalMax), {
      meaning: "How often packets of the neighbour can be taken.",
      default: "10",
    }),
    minTransmit: asBlock("min_tx", milliseconds(1, intervalMax), {
      meaning: "How often packets are sent, if the neighbour can take them so often.",
      default: "10",
    }),
    idleTransmit: asBlock("idle_tx", milliseconds(1000, intervalMax), {
      meaning: "How often packets are sent while the session is not up.",
      default: "1000",
    }),
    multiplier: asBlock("multiplier", integer({ min: 1, max: 255, strict: true }), {
      meaning: "How many packets of the neighbour may be missed before the session is down.",
      default: "5",
    }),
    passive: asBlock("passive", flag, {
      meaning: "Waits for the neighbour to begin.",
      default: "off",
    }),
    ttl,
    hopLimit: alias("hoplimit", ttl),
    maxHops: asBlock("max_hops", integer({ min: -1, max: 255, strict: true }), {
      meaning: "How many routers may lie between; -1: any number.",
      default: "0",
    }),
    multihop: asBlock("multihop", bool, {
      meaning: "Uses the port of sessions over routers (4784).",
      since: "2.2.8",
      default: "off",
    }),
    weight: asBlock("weight", weight(253, "default"), {
      meaning: "What its state does to the priority of those who say nothing of their own.",
      default: "0: down is a fault",
    }),
    vrrp: asBlock("vrrp", flag, {
      meaning: "Tells instances of its state; with checker, both.",
      default: "both are told",
    }),
    checker: asBlock("checker", flag, {
      meaning: "Tells checkers of its state; with vrrp, both.",
      default: "both are told",
    }),
  },
});
