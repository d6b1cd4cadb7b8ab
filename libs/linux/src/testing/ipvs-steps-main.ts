// Carries out steps at the table of the kernel that it runs on:
//   node ipvs-steps-main.js STEPS.json RESULTS.json
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { messageOf } from "@baton/domain";
import { openIpvsTable } from "../ipvs-table.ts";
import { carryOut, type IpvsStep, type IpvsStepResult } from "./ipvs-steps.ts";

const [stepsFile = "", resultsFile = ""] = process.argv.slice(2);
const steps = JSON.parse(readFileSync(stepsFile, "utf8")) as IpvsStep[];
const shell = (command: string): string => execFileSync("sh", ["-c", command], { encoding: "utf8", stdio: "pipe" });

const table = openIpvsTable();
const results = steps.map((step): IpvsStepResult => {
  const begun = process.hrtime.bigint();
  const done = () => Number(process.hrtime.bigint() - begun) / 1e6;
  try {
    return { value: carryOut(table, step, shell), milliseconds: done() };
  } catch (error) {
    return { error: messageOf(error), milliseconds: done() };
  }
});
table.close();
writeFileSync(resultsFile, JSON.stringify(results));
