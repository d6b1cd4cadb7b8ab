// Passwords in files.
import type { Place } from "../../report.ts";
import type { Block } from "../../syntax/tree.ts";
import { block, file, router } from "../example.ts";
import type { Finding, LintedFile, LintRule } from "../rule.ts";

const text = file(router(block("authentication", "auth_type PASS", "auth_pass secret1")));

const readableSecret: LintRule = {
  name: "readable-secret",
  title: "A password stands in a file that everybody may read",
  severity: "warning",
  why:
    "Whoever knows the password of a virtual router can send adverts in its name, and take its addresses. Let only root " +
    "read the file: chmod 600. It is told of each file with a password once, included ones too, and only on the machine " +
    "where the file is.",
  bad: { text },
  good: { text },
  by: "lint",
  check: findReadableSecrets,
};

const readByOthers = 0o004;

function findReadableSecrets({ source, machine }: LintedFile): Finding[] {
  const { fileStatus } = machine;
  if (fileStatus === undefined) return [];
  const first = new Map<string, Place>();
  for (const place of secretsIn(source.tree)) if (!first.has(place.file)) first.set(place.file, place);
  return [...first.values()].flatMap((place) => {
    const status = fileStatus(place.file);
    if (status === undefined || (status.mode & readByOthers) === 0) return [];
    const message = `everybody may read ${place.file}, and here is a password`;
    return [{ place, message, hint: `chmod 600 ${place.file}` }];
  });
}

const secretsIn = ({ settings, blocks }: Block): Place[] => [
  ...settings.filter(({ keyword }) => keyword.argument.secret === true).map(({ place }) => place),
  ...blocks.flatMap(secretsIn),
];

export const secretRules: readonly LintRule[] = [readableSecret];
