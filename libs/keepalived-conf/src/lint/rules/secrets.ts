// Passwords in files.
import type { HmacKey } from "../../keywords/instance/authentication.ts";
import { instanceAuthHmac } from "../../keywords/vrrp-instance.ts";
import type { Place } from "../../report.ts";
import { type Block, settings } from "../../syntax/tree.ts";
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
  /** By the file that they stand in. */
  const first = new Map<string, Place>();
  for (const { file: name, place } of secretsIn(source.tree)) if (!first.has(name)) first.set(name, place);
  return [...first].flatMap(([name, place]) => {
    const status = fileStatus(name);
    if (status === undefined || (status.mode & readByOthers) === 0) return [];
    const what = name === place.file ? "here is a password" : "it holds a key";
    return [{ place, message: `everybody may read ${name}, and ${what}`, hint: `chmod 600 ${name}` }];
  });
}

interface Secret {
  readonly place: Place;
  readonly file: string;
}

const { key } = instanceAuthHmac.keywords;

function secretsIn(block: Block): Secret[] {
  const keys = settings(block, key).map(({ value, place }) => ({ place, file: keyFile(value) ?? place.file }));
  const others = block.settings
    .filter(({ keyword }) => keyword.argument.secret === true && keyword !== key)
    .map(({ place }) => ({ place, file: place.file }));
  return [...keys, ...others, ...block.blocks.flatMap(secretsIn)];
}

/** undefined: the key is written out, or is none. */
const keyFile = (key: HmacKey | undefined): string | undefined =>
  key?.value.from === "file" ? key.value.path : undefined;

export const secretRules: readonly LintRule[] = [readableSecret];
