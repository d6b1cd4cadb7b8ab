// keepalived.stats. Exporters find a number by its section and label, so both are keepalived's to the letter.
import { type DumpFacts, instancesOf } from "./dump-facts.ts";
import type { StatisticName } from "./statistics.ts";

type Line = readonly [label: string, statistic: StatisticName];

const sections: readonly (Line | readonly [title: string, lines: readonly Line[]])[] = [
  [
    "Advertisements",
    [
      ["Received", "advert_rcvd"],
      ["Sent", "advert_sent"],
    ],
  ],
  ["Became master", "become_master"],
  ["Released master", "release_master"],
  [
    "Packet Errors",
    [
      ["Length", "packet_len_err"],
      ["TTL", "ip_ttl_err"],
      ["Invalid Type", "invalid_type_rcvd"],
      ["Advertisement Interval", "advert_interval_err"],
      ["Address List", "addr_list_err"],
    ],
  ],
  [
    "Authentication Errors",
    [
      ["Invalid Type", "invalid_authtype"],
      ["Type Mismatch", "authtype_mismatch"],
      ["Failure", "auth_failure"],
    ],
  ],
  [
    "Authentication Extension Errors",
    [
      ["Missing", "auth_ext_missing"],
      ["Malformed", "auth_ext_malformed"],
      ["Unknown Key", "auth_ext_unknown_key"],
      ["Invalid HMAC", "auth_ext_invalid_hmac"],
      ["Stale", "auth_ext_stale"],
      ["Replay", "auth_ext_replay"],
    ],
  ],
  [
    "Priority Zero",
    [
      ["Received", "pri_zero_rcvd"],
      ["Sent", "pri_zero_sent"],
    ],
  ],
];

export function statsText(facts: DumpFacts): string {
  const lines = instancesOf(facts).flatMap(({ config: { name } }) => {
    const statistics = facts.statistics(name);
    const line = (indent: string, [label, statistic]: Line): string => `${indent}${label}: ${statistics[statistic]}`;
    return [
      `VRRP Instance: ${name}`,
      ...sections.flatMap((section) =>
        isLine(section) ? [line("  ", section)] : [`  ${section[0]}:`, ...section[1].map((each) => line("    ", each))],
      ),
    ];
  });
  return lines.map((line) => `${line}\n`).join("");
}

const isLine = (section: (typeof sections)[number]): section is Line => typeof section[1] === "string";
