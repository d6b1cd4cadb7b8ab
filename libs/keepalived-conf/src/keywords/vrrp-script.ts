// `vrrp_script`: a program whose result instances can track.
import { flag, int32Max, integer, seconds, text } from "./arguments.ts";
import { account, weight } from "./line-arguments.ts";
import { script } from "./script-argument.ts";
import { block, works } from "./table.ts";

const times = seconds({ max: 4_294, decimals: 3, zeroIsOne: true });

export const vrrpScript = block("vrrp_script", {
  meaning: "A program that is run again and again, and whose result counts for those who track it.",
  service: "health",
  header: text("NAME"),
  owners: ["vrrp"],
  keywords: {
    script: works("script", script({ takesUser: false, command: "maybe" }), {
      meaning: "The program with its arguments; 0 as exit code means up.",
      default: "none: it has to be given",
    }),
    interval: works("interval", times, { meaning: "How often it is run.", default: "1" }),
    timeout: works("timeout", times, {
      meaning: "How long one run may take; after that it has failed, and is ended.",
      default: "interval",
    }),
    weight: works("weight", weight(253, "nearest"), {
      meaning: "What its result does to the priority of those who say nothing of their own.",
      default: "0: down is a fault",
    }),
    rise: works("rise", integer({ min: 1, max: int32Max, instead: 1 }), {
      meaning: "How many runs have to succeed before it is up.",
      default: "1",
    }),
    fall: works("fall", integer({ min: 1, max: int32Max, instead: 1 }), {
      meaning: "How many runs have to fail before it is down.",
      default: "1",
    }),
    user: works("user", account, { meaning: "Who it runs as.", default: "script_user" }),
    initFail: works("init_fail", flag, { meaning: "Takes it for down until it is up.", default: "off" }),
  },
  misnomers: { command: "script", cmd: "script", path: "script" },
});
