// How keepalived is watched and steered from outside, and the files that it keeps.
import {
  anyWords,
  bool,
  flag,
  integer,
  invalidValue,
  lenientlyMissing,
  oneWord,
  optional,
  seconds,
  text,
  uint32Max,
} from "../arguments.ts";
import { fileMode } from "../global-arguments.ts";
import { exactly } from "../line-arguments.ts";
import { alias, missing, noted, works } from "../table.ts";
import { noDbus, noSnmp, ownFiles, ownNames } from "./reasons.ts";

const name = lenientlyMissing(text("NAME"));
const path = exactly(1, text("PATH"));
const onePath = lenientlyMissing(text("PATH"));
const dumpPath = exactly(
  1,
  oneWord("PATH", "", (word, line, report) =>
    word.text === "" ? invalidValue(word, line, report, "a path that is not empty") : word.text,
  ),
);
const statisticsTime = seconds({ min: 0.001, max: 30 });

const snmpVrrp = noted("enable_snmp_vrrp", flag, noSnmp, {
  meaning: "Serves the state of VRRP over SNMP.",
  service: "control",
  default: "off",
});

const snmp = {
  snmpSocket: noted("snmp_socket", exactly(1, text("SPEC")), noSnmp, {
    meaning: "Where the SNMP master agent listens.",
    service: "control",
    repeat: "first",
    default: "net-snmp's",
  }),
  enableTraps: noted("enable_traps", flag, noSnmp, {
    meaning: "Sends SNMP traps on changes.",
    service: "notifier",
    default: "off",
  }),
  snmpVrrp,
  snmpKeepalived: alias("enable_snmp_keepalived", snmpVrrp),
  snmpRfc: noted("enable_snmp_rfc", flag, noSnmp, {
    meaning: "Serves the MIBs of both versions of VRRP over SNMP.",
    service: "control",
    default: "off",
  }),
  snmpRfc2: noted("enable_snmp_rfcv2", flag, noSnmp, {
    meaning: "Serves the MIB of VRRPv2 (RFC 2787) over SNMP.",
    service: "control",
    default: "off",
  }),
  snmpRfc3: noted("enable_snmp_rfcv3", flag, noSnmp, {
    meaning: "Serves the MIB of VRRPv3 (RFC 6527) over SNMP.",
    service: "control",
    default: "off",
  }),
  snmpChecker: noted("enable_snmp_checker", flag, noSnmp, {
    meaning: "Serves the state of virtual servers over SNMP.",
    service: "control",
    default: "off",
  }),
  snmpVsStats: noted("snmp_vs_stats_update_interval", statisticsTime, noSnmp, {
    meaning: "For how long counters of virtual servers are told again before the kernel is asked anew.",
    service: "control",
    since: "2.3.0",
    default: "5",
  }),
  snmpRsStats: noted("snmp_rs_stats_update_interval", statisticsTime, noSnmp, {
    meaning: "The same for counters of real servers.",
    service: "control",
    since: "2.3.0",
    default: "snmp_vs_stats_update_interval",
  }),
} as const;

const dbus = {
  enableDbus: noted("enable_dbus", flag, noDbus, {
    meaning: "Offers state and control on DBus.",
    service: "control",
    default: "off",
  }),
  dbusServiceName: noted("dbus_service_name", name, noDbus, {
    meaning: "The name of the service on DBus.",
    service: "control",
    default: "org.keepalived.Vrrp1",
  }),
  dbusNoInterfaceName: noted("dbus_no_interface_name", name, noDbus, {
    meaning: "What stands for the interface in the path of an instance that has none.",
    service: "control",
    since: "2.3.0",
    default: "none",
  }),
} as const;

const reading = {
  randomSeed: noted(
    "random_seed",
    integer({ min: 0, max: uint32Max, strict: true }),
    "_RANDOM depends on the node's name alone",
    { meaning: "What random numbers start from; it comes too late to have an effect.", default: "the time of day" },
  ),
  includeCheck: works("include_check", anyWords("[[+|-]CHECK …]"), {
    meaning: "Which troubles with included files are errors: read, match, wildcard_match, brace_match.",
    repeat: "all",
    default: "none; all of them without a word",
  }),
  reloadCheckConfig: noted(
    "reload_check_config",
    optional(text("LOGFILE"), "/dev/null"),
    "Baton never applies a configuration that keepalived would not start with",
    {
      meaning: "Tries a new configuration before it takes the place of the old one.",
      service: "control",
      default: "off",
    },
  ),
  reloadTimeFile: works("reload_time_file", path, {
    meaning:
      "A file with the time of the next reload: [[YY]YY-MM-DD ]HH:MM:SS[Z]; it is removed when the time has come.",
    service: "control",
    default: "none",
  }),
  reloadRepeat: works("reload_repeat", flag, {
    meaning: "Keeps that file where it names no day, so that the reload comes every day.",
    service: "control",
    default: "off",
  }),
  reloadFile: works("reload_file", optional(text("PATH"), ""), {
    meaning: "A file that exists while the configuration is read for a reload.",
    service: "control",
    default: "off; keepalived.reload where the pid files of `baton keepalived` are, without a path",
  }),
} as const;

const files = {
  umask: works("umask", fileMode, {
    meaning: "The permissions that dumped files do not get; all others are readable by their owner only.",
    service: "control",
    default: "0177",
  }),
  configSaveDirectory: missing(
    "config_save_dir",
    text("DIR"),
    "the applied configuration is kept in the state directory",
    { meaning: "Where each configuration is kept that was applied.", service: "control", default: "none" },
  ),
  temporaryDirectory: noted("tmp_config_directory", onePath, ownFiles, {
    meaning: "Where the configuration lies while all processes read it.",
    service: "control",
    repeat: "first",
    default: "in memory",
  }),
  dataUseInstance: works("data_use_instance", bool, {
    meaning: "Puts the names of namespace and instance into the name of the dumped state.",
    service: "control",
    default: "off",
  }),
  jsonVersion: works("json_version", lenientlyMissing(integer({ min: 1, max: 2 })), {
    meaning:
      "The layout of keepalived.json: a list of instances, or an object that has them and the tracked processes.",
    service: "control",
    since: "2.2.8",
    default: "1",
  }),
  iprouteUsr: missing("iproute_usr_dir", path, ownNames, {
    meaning: "Where iproute2's names for numbers come from.",
    service: "control",
    since: "2.3.2",
    default: "/usr/share/iproute2",
  }),
  iprouteEtc: missing("iproute_etc_dir", path, ownNames, {
    meaning: "Where an administrator's names for numbers come from, which go before those.",
    service: "control",
    since: "2.3.2",
    default: "/etc/iproute2",
  }),
  stateDumpFile: works("state_dump_file", dumpPath, {
    meaning: "Where the state goes on SIGUSR1.",
    service: "control",
    since: "2.3.3",
    default: "keepalived.data in the temporary directory",
  }),
  statsDumpFile: works("stats_dump_file", dumpPath, {
    meaning: "Where the counters go on SIGUSR2; keepalived up to 2.4 reads the line and does not use it.",
    service: "control",
    since: "2.3.3",
    default: "keepalived.stats in the temporary directory",
  }),
  jsonDumpFile: works("json_dump_file", dumpPath, {
    meaning: "Where the state as JSON goes; keepalived up to 2.4 reads the line and does not use it.",
    service: "control",
    since: "2.3.3",
    default: "keepalived.json in the temporary directory",
  }),
} as const;

export const management = { ...snmp, ...dbus, ...reading, ...files } as const;
