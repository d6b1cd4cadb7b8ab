// `vrrp_track_process`: programs of the machine that have to run, or must not.
import { choice, flag, integer, lenientlyMissing, optional, seconds, text } from "./arguments.ts";
import { weight, wholeLine } from "./line-arguments.ts";
import { asBlock, block } from "./table.ts";

const delay = seconds({ min: 0.000001, max: 3600 });

export interface ProcessWords {
  readonly path: string;
  readonly parameters: readonly string[];
}

const process = wholeLine<ProcessWords>(
  "PATH [ARG …]",
  ({ args: [path, ...parameters] }) =>
    path && { path: path.text, parameters: parameters.map((parameter) => parameter.text) },
  { required: 1 },
);

export const vrrpTrackProcess = block("vrrp_track_process", {
  meaning: "Processes that are counted, and whose number counts for those who track it.",
  service: "health",
  header: text("NAME"),
  owners: ["vrrp"],
  keywords: {
    process: asBlock("process", process, {
      meaning: "The program; with arguments, these have to be its own.",
      repeat: "first",
      default: "none: it has to be given",
    }),
    parameterMatch: asBlock("param_match", optional(choice("initial", "partial"), "exact"), {
      meaning:
        "How its arguments are compared: all of them, only the first ones (partial), or of the last one only the beginning (initial).",
      default: "not at all; all of them when arguments are given",
    }),
    weight: asBlock("weight", lenientlyMissing(weight(254, "nothing")), {
      meaning: "What its running does to the priority of those who say nothing of their own.",
      repeat: "all",
      default: "0: down is a fault",
    }),
    quorum: asBlock("quorum", integer({ min: 1, max: 65_535 }), {
      meaning: "How many processes have to run.",
      repeat: "all",
      default: "1",
    }),
    quorumMax: asBlock("quorum_max", integer({ min: 0, max: 65_535 }), {
      meaning: "How many may run at most; 0: none must run.",
      repeat: "all",
      default: "any number",
    }),
    delay: asBlock("delay", delay, {
      meaning: "Both fork_delay and terminate_delay.",
      repeat: "all",
      default: "0",
    }),
    terminateDelay: asBlock("terminate_delay", delay, {
      meaning: "How long too few may run before it counts.",
      repeat: "all",
      default: "0",
    }),
    forkDelay: asBlock("fork_delay", delay, {
      meaning: "How long enough have to run before it counts.",
      repeat: "all",
      default: "0",
    }),
    fullCommand: asBlock("full_command", flag, {
      meaning: "Looks for the program in the whole command line, not in the short name of the process.",
      default: "off; on with arguments",
    }),
  },
});
