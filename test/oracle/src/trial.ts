// Configurations before both judges: written to a folder of their own, checked by keepalived and by us, compared.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Diagnostic } from "@baton/keepalived-conf";
import { type Difference, disagreement, ourDiagnostics } from "./compare.ts";
import { openOracle, type Verdict } from "./keepalived.ts";

export interface Configuration {
  readonly name: string;
  /** `{DIR}` stands for the folder, in which there is a file called `tracked`. */
  readonly text: string;
  /** Other files beside it, by name. */
  readonly files?: Readonly<Record<string, string>>;
  /** keepalived's version that brought what is tried. */
  readonly since?: string | undefined;
}

export interface Judged<T extends Configuration> {
  readonly configuration: T;
  readonly verdict: Verdict;
  readonly diagnostics: readonly Diagnostic[];
  /** Undefined where both say the same. */
  readonly difference: Difference | undefined;
}

/** In the order of the configurations. */
export async function judgeAll<T extends Configuration>(
  keepalived: string,
  configurations: readonly T[],
): Promise<Judged<T>[]> {
  const folder = mkdtempSync(join(tmpdir(), "baton-oracle-"));
  const oracle = openOracle(keepalived);
  try {
    writeFileSync(join(folder, "tracked"), "0\n");
    const files = configurations.map((configuration, index) => write(configuration, folder, index));
    const verdicts = await oracle.judge(files);
    return configurations.map((configuration, index) => {
      const verdict = verdicts[index];
      if (verdict === undefined) throw new Error(`no verdict on ${configuration.name}`);
      const diagnostics = ourDiagnostics(files[index] ?? "", oracle.interfaces);
      return { configuration, verdict, diagnostics, difference: disagreement(verdict, diagnostics) };
    });
  } finally {
    oracle.remove();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Returns the main file's path. */
function write({ text, files = {} }: Configuration, folder: string, index: number): string {
  const others = Object.entries(files);
  const own = others.length === 0 ? folder : join(folder, String(index));
  if (own !== folder) mkdirSync(own);
  const file = join(own, `${index}.conf`);
  for (const [name, content] of [[`${index}.conf`, text], ...others])
    writeFileSync(join(own, name ?? ""), (content ?? "").replaceAll("{DIR}", folder));
  return file;
}
