// keepalived.json: version 1 is a list of instances, version 2 an object with the processes that are tracked beside it.
// Keys, their types and when they are absent are keepalived's: exporters decode into structures.
import type { Command, TrackProcessConfig } from "@baton/keepalived-conf";
import { dumpedRoute, dumpedRule } from "@baton/keepalived-conf";
import { commandText, type DumpFacts, type InstanceFacts, instancesOf, stateNumbers, trackerOf } from "./dump-facts.ts";
import { addressLines } from "./dumped-addresses.ts";
import { statisticNames } from "./statistics.ts";

/** Undefined without instances: keepalived writes no file then. */
export function jsonText(facts: DumpFacts): string | undefined {
  const instances = instancesOf(facts);
  if (instances.length === 0) return undefined;
  const vrrp = instances.map((instance) => ({ data: dataOf(facts, instance), stats: statsOf(facts, instance) }));
  const { trackProcesses, global } = facts.config;
  const processes =
    trackProcesses.length === 0 ? {} : { track_process: trackProcesses.map((of) => processOf(facts, of)) };
  return `${JSON.stringify(global.files.jsonVersion === 1 ? vrrp : { vrrp, ...processes })}\n`;
}

const seconds = (micros: number): number => micros / 1_000_000;
const wholeSeconds = (micros: number): number => Math.floor(micros / 1_000_000);
/** keepalived tells some flags as numbers. */
const bit = (flag: boolean): 0 | 1 => (flag ? 1 : 0);
/** An absent list is no key at all. */
const list = <Key extends string>(key: Key, values: readonly string[]): { readonly [K in Key]?: readonly string[] } =>
  values.length === 0 ? {} : ({ [key]: values } as Record<Key, readonly string[]>);

function dataOf({ config: all }: DumpFacts, instance: InstanceFacts): object {
  const { config, state } = instance;
  const { garp } = config;
  const heard = state?.masterAdvertMicros ?? 0;
  return {
    iname: config.name,
    dont_track_primary: bit(!config.trackPrimary),
    skip_check_adv_addr: bit(config.skipCheckAddresses),
    strict_mode: bit(config.strict),
    vmac_ifname: instance.ownInterface,
    ifp_ifname: instance.interface,
    master_priority: state?.masterPriority ?? 0,
    last_transition: seconds(instance.lastTransition),
    garp_delay: seconds(garp.delay),
    garp_refresh: wholeSeconds(garp.refresh),
    garp_rep: garp.repeat,
    garp_refresh_rep: garp.refreshRepeat,
    garp_lower_prio_delay: wholeSeconds(garp.lowerPriorityDelay),
    garp_lower_prio_rep: garp.lowerPriorityRepeat,
    lower_prio_no_advert: bit(config.lowerPriorityNoAdvert),
    higher_prio_send_advert: bit(config.higherPrioritySendAdvert),
    vrid: config.vrid,
    base_priority: config.priority,
    effective_priority: state?.effectivePriority ?? config.priority,
    vipset: instance.present.size > 0,
    promote_secondaries: config.promoteSecondaries,
    adver_int: seconds(config.advertInterval),
    master_adver_int: seconds(heard === 0 ? config.advertInterval : heard),
    accept: bit(config.accept),
    nopreempt: !config.preempt,
    preempt_delay: wholeSeconds(config.preemptDelay),
    state: stateNumbers[instance.stateName],
    wantstate: stateNumbers[instance.wanted],
    version: config.version,
    smtp_alert: config.smtpAlert,
    notify_deleted: config.notify.tellDeleted,
    ...scriptsOf(instance),
    ...list("vips", addressLines(instance, config.addresses)),
    ...list("evips", addressLines(instance, config.excludedAddresses)),
    ...list(
      "vroutes",
      config.routes.map((route) => dumpedRoute(route)),
    ),
    ...list(
      "vrules",
      config.rules.map((rule) => dumpedRule(rule)),
    ),
    ...list(
      "track_ifp",
      config.trackInterfaces.map(({ name }) => name),
    ),
    ...list(
      "track_script",
      config.trackScripts.map(({ name }) => scriptText(all.scripts, name)),
    ),
    ...list(
      "track_process",
      config.trackProcesses.map(({ name }) => name),
    ),
    ...authenticationOf(instance),
  };
}

const scriptText = (scripts: DumpFacts["config"]["scripts"], name: string): string => {
  const script = scripts.find((each) => each.name === name);
  return script === undefined ? name : commandText(script.command);
};

function scriptsOf({ config: { notify } }: InstanceFacts): Readonly<Record<string, string>> {
  const scripts: Readonly<Record<string, Command | undefined>> = {
    script_backup: notify.backup,
    script_master: notify.master,
    script_fault: notify.fault,
    script_stop: notify.stop,
    script_deleted: notify.deleted,
    script: notify.any,
    script_master_rx_lower_pri: notify.lowerPriority,
  };
  const there = Object.entries(scripts).flatMap(([key, command]) =>
    command === undefined ? [] : [[key, commandText(command)]],
  );
  return Object.fromEntries(there);
}

/** RFC 2338's numbers. No password leaves the node. */
function authenticationOf({ config: { authentication } }: InstanceFacts): object {
  if (authentication === undefined) return { auth_type: 0 };
  return { auth_type: authentication.type === "pass" ? 1 : 2, auth_data: "********" };
}

function statsOf({ statistics }: DumpFacts, { config: { name } }: InstanceFacts): object {
  const counted = statistics(name);
  return Object.fromEntries(statisticNames.map((statistic) => [statistic, counted[statistic]]));
}

function processOf(facts: DumpFacts, of: TrackProcessConfig): object {
  const tracker = trackerOf(facts, "process", of.name);
  return {
    process: of.name,
    ...(of.parameters.length === 0 ? {} : { parameters: of.parameters.join(" ") }),
    param_match: of.match,
    min_processes: of.quorum,
    ...(of.quorumMax === undefined ? {} : { max_processes: of.quorumMax }),
    current_processes: tracker?.value ?? 0,
    have_quorum: tracker?.status === "up",
    weight: of.reverse ? -of.weight : of.weight,
    terminate_delay: seconds(of.terminateDelay),
    fork_delay: seconds(of.forkDelay),
    // Which of its delays runs is not told by the service that waits.
    fork_delay_timer_running: false,
    terminate_delay_timer_running: false,
    full_command: of.fullCommand,
  };
}
