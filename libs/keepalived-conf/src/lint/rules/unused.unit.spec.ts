import { expect, test } from "vitest";
import { lintFindings } from "../../testing/lint.ts";
import { instance } from "../../testing/parse.ts";

const objects = `
track_file F {
  file /run/f
}
vrrp_track_file G {
  file /run/g
}
vrrp_track_process P {
  process p
}
bfd_instance B {
  neighbor_ip 10.0.0.3
  source_ip 10.0.0.9
}
virtual_server_group VSG {
  10.0.0.13 80
}
`;
const trackGroup = "track_group T {\ngroup {\nVI_1\n}\n}\n";
const checked = (...checkers: string[]) => `real_server 10.0.0.12 80 {\n${checkers.join("\n")}\nTCP_CHECK {\n}\n}`;
const service = (of: string, ...checkers: string[]) =>
  `virtual_server ${of} {\nprotocol TCP\nlb_algo rr\nlb_kind NAT\n${checked(...checkers)}\n}\n`;

const unused = (text: string): string[] =>
  lintFindings(text, [])
    .filter(({ code }) => code === "lint/unused-object")
    .map(({ message }) => message);

test("each kind of object", () => {
  expect(unused(objects + instance() + trackGroup)).toEqual([
    "nothing names track_file F",
    "nothing names vrrp_track_file G",
    "nothing names vrrp_track_process P",
    "nothing names bfd_instance B",
    "nothing names virtual_server_group VSG",
    "nothing names track_group T",
  ]);
});

test("named by instances, groups, checkers, virtual servers and static addresses", () => {
  const trackers = "track_file {\nF\n}\ntrack_process {\nP\n}";
  const statics = "static_ipaddress {\n10.7.0.1/24 dev eth0 track_group T\n}\n";
  const around = instance(trackers) + instance("", "VI_2", 52, "10.0.0.2") + trackGroup + statics;
  const group = "vrrp_sync_group S {\ngroup {\nVI_1\nVI_2\n}\ntrack_bfd {\nB\n}\n}\n";
  expect(unused(objects + around + group + service("group VSG", "FILE_CHECK {\ntrack_file G\n}"))).toEqual([]);
  expect(
    unused(objects + around + service("group VSG", "FILE_CHECK {\ntrack_file G\n}", "BFD_CHECK {\nname B\n}")),
  ).toEqual([]);
});
