// From one Config to the next: what a reload does, for those who carry it out and for those who ask first. Services act
// on the same identities: what is told to go on goes on.
import type { Config } from "../config.ts";
import type { Change } from "./change.ts";
import { compareSubjects } from "./compare.ts";
import { configShape, globalShape } from "./config-shapes.ts";
import { withoutInherited } from "./server-shapes.ts";

/** Empty: nothing changes. `before` may be what an older version stored: what it lacks counts as not set. */
export function diffConfig(before: Config, after: Config): Change[] {
  const { global: globalBefore, ...subjectsBefore } = before;
  const { global: globalAfter, ...subjectsAfter } = after;
  const globals = compareSubjects(globalShape, { ...globalBefore }, { ...globalAfter });
  const subjects = compareSubjects(configShape, subjectsBefore, subjectsAfter);
  const fields = [...globals.fields, ...subjects.fields];
  const settings: Change = {
    kind: globalShape.kind,
    name: "",
    action: "changed",
    identity: "",
    why: undefined,
    fields,
    parts: globals.parts,
  };
  return [...(fields.length + globals.parts.length === 0 ? [] : [settings]), ...subjects.parts.map(withoutInherited)];
}
