// `baton plan FILE`: what a reload of a running node would do if FILE were its configuration. The node itself reads the
// file, in its own network namespace and with its own names, as it would for a reload; nothing is changed.
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { changeFromWire, diagnosticFromWire } from "@baton/host";
import type { PlanCommand } from "../arguments/parse-arguments.ts";
import { countDiagnostics, diagnosticLines } from "../rendering/diagnostic-text.ts";
import { changeLines, countChanges } from "../rendering/plan-text.ts";
import type { Screen } from "../rendering/screen.ts";
import type { Console } from "./console.ts";
import type { NodeClient } from "./node-client.ts";

export interface PlanDependencies {
  readonly console: Console;
  readonly screen: Screen;
  readonly node: Pick<NodeClient, "plan">;
}

/** As `terraform plan` and others have it: that something would change is told apart from a failure. */
const exitCodes = { same: 0, unusable: 1, different: 2 } as const;

export async function plan(
  { file, json }: Pick<PlanCommand, "file" | "json">,
  { console, screen, node }: PlanDependencies,
): Promise<number> {
  const answer = await node.plan(resolve(file));
  const { usable, generation, runningFile } = answer;
  const changes = answer.changes.map(changeFromWire);
  const diagnostics = answer.diagnostics.map(diagnosticFromWire);
  if (json) {
    const report = { file, usable, generation, runningFile, changes, diagnostics };
    console.out(`${JSON.stringify(report, (_name, value: unknown) => value ?? null)}\n`);
  } else if (!usable) {
    for (const line of diagnosticLines(diagnostics, readQuietly, screen)) console.out(`${line}\n`);
    const stays = `configuration ${generation} from ${runningFile} stays`;
    console.out(`${screen.bold(file)}: ${screen.red("a reload would refuse it")}; ${stays}\n`);
  } else {
    for (const line of changeLines(changes, screen)) console.out(`${line}\n`);
    const found = countDiagnostics(diagnostics.filter(({ severity }) => severity !== "info"));
    const warned = found === "" ? "" : ` It has ${found}: baton check ${file} says which.`;
    const running = `configuration ${generation} from ${runningFile}`;
    const verdict =
      changes.length === 0
        ? `a reload would change nothing of ${running}.`
        : `a reload would change ${running}: ${countChanges(changes)}. Nothing was changed.`;
    console.out(`${changes.length === 0 ? "" : "\n"}${screen.bold(file)}: ${verdict}${warned}\n`);
  }
  return usable ? (changes.length === 0 ? exitCodes.same : exitCodes.different) : exitCodes.unusable;
}

/** To show the lines that are complained of; the node may see other files than we do. */
function readQuietly(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}
