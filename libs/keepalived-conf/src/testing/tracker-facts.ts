// Our scripts and BFD sessions in the words of keepalived's dump.
import type { BfdConfig, Config, TrackScriptConfig } from "../config.ts";
import { type Facts, shown } from "./dump-objects.ts";
import { userOf, wordsOf } from "./instance-facts.ts";

const seconds = (micros: number): string => {
  const rest = micros % 1_000_000;
  const fraction = rest === 0 ? "" : `.${String(Math.floor(rest / 1000)).padStart(3, "0")}`;
  return `${Math.floor(micros / 1_000_000)}${fraction} sec`;
};

const weightOf = ({ weight, reverse }: { readonly weight: number; readonly reverse: boolean }): string =>
  `${weight}${reverse ? " reverse" : ""}`;

type Kind = "trackScripts" | "trackBfds";

/** Who tracks it; the members of a group that does. */
function trackersOf(name: string, kind: Kind, { instances, syncGroups }: Config): string | undefined {
  const own = instances.flatMap((instance) =>
    instance[kind].filter((ref) => ref.name === name).map((ref) => `${instance.name}, weight ${weightOf(ref)}`),
  );
  const members = syncGroups.flatMap((group) =>
    group[kind]
      .filter((ref) => ref.name === name)
      .flatMap((ref) => group.members.map((member) => `${member}, weight ${weightOf(ref)}`)),
  );
  const lines = [...own, ...members];
  return lines.length === 0 ? undefined : lines.join("\n");
}

/** Where the program was found depends on the machine. */
const withoutFolder = (command: string): string => command.replace(/^'[^']*\//, "'");

/** How it is at the moment; and who runs it in the dump once more, without a word. */
const running = ["Path", "Result", "Insecure", "Status", "State", "VRRP instances"];

export function scriptFactsOf(facts: Facts): Facts {
  const all = new Map([...facts].filter(([label]) => !running.includes(label)));
  all.set("Command", withoutFolder(all.get("Command") ?? ""));
  if (all.get("Timeout") === "0 sec") all.set("Timeout", all.get("Interval") ?? "");
  return all;
}

export const scriptFacts = (script: TrackScriptConfig, config: Config): Facts =>
  shown({
    // A file that is only opened is shown as it is written.
    Command: script.command.text.startsWith("<") ? script.command.text : withoutFolder(wordsOf(script.command)),
    Interval: seconds(script.interval),
    Timeout: seconds(script.timeout),
    Weight: weightOf(script),
    Rise: String(script.rise),
    Fall: String(script.fall),
    "Init state": script.initFail ? "INIT/FAILED" : "INIT",
    "Script uid:gid": userOf(script.command),
    "Tracking instances": trackersOf(script.name, "trackScripts", config),
  });

const sessionLabels = [
  ...["Neighbor IP", "Source IP", "Required min RX interval", "Desired min TX interval", "Desired idle TX interval"],
  ...["Detection multiplier", "TTL", "hoplimit", "max_hops", "passive"],
  ...["send event to VRRP process", "send event to checker process"],
];

export const sessionFactsOf = (facts: Facts): Facts =>
  new Map([...facts].filter(([label]) => sessionLabels.includes(label)));

export const sessionFacts = (session: BfdConfig): Facts =>
  shown({
    "Neighbor IP": session.neighbor,
    "Source IP": session.source,
    "Required min RX interval": `${session.minReceiveInterval} us`,
    "Desired min TX interval": `${session.minTransmitInterval} us`,
    "Desired idle TX interval": `${session.idleTransmitInterval} us`,
    "Detection multiplier": String(session.multiplier),
    [session.neighbor.includes(":") ? "hoplimit" : "TTL"]: String(session.ttl),
    max_hops: String(session.maxHops),
    passive: String(session.passive),
    "send event to VRRP process": session.tells.vrrp ? "Yes" : "No",
    "send event to checker process": session.tells.checker ? "Yes" : "No",
  });

export const trackedSessionFactsOf = (facts: Facts): Facts =>
  new Map([...facts].filter(([label, value]) => label !== "Bfd is down" && value !== ""));

export const trackedSessionFacts = (session: BfdConfig, config: Config): Facts =>
  shown({ Weight: weightOf(session), "Tracking VRRP instances": trackersOf(session.name, "trackBfds", config) });
