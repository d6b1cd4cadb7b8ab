// What a reload would do, between control and whoever asks: the types of libs/keepalived-conf in the shape of the wire.
import type { ConfigChange, ConfigDiagnostic } from "@baton/contracts";
import { type Change, type Diagnostic, errorClasses } from "@baton/keepalived-conf";

export const changeToWire = ({ fields, parts, ...change }: Change): ConfigChange => ({
  ...change,
  fields: fields.map((field) => ({ ...field })),
  parts: parts.map(changeToWire),
});

export const diagnosticToWire = (diagnostic: Diagnostic): ConfigDiagnostic => ({ ...diagnostic });

const actions = ["added", "removed", "changed", "restarted"] as const;
const effects = ["reload", "start"] as const;
const severities = ["error", "warning", "info"] as const;

/** A word that a newer node may say and this version does not know is read as the one that promises least. */
const known = <Word extends string>(words: readonly Word[], given: string, otherwise: Word): Word =>
  words.find((word) => word === given) ?? otherwise;

export const changeFromWire = ({ action, why, fields, parts, ...change }: ConfigChange): Change => ({
  ...change,
  action: known(actions, action, "restarted"),
  why,
  fields: fields.map(({ before, after, effect, ...field }) => ({
    ...field,
    before,
    after,
    effect: known(effects, effect, "start"),
  })),
  parts: parts.map(changeFromWire),
});

export const diagnosticFromWire = ({
  severity,
  errorClass,
  text,
  used,
  hint,
  ...rest
}: ConfigDiagnostic): Diagnostic => ({
  ...rest,
  severity: known(severities, severity, "error"),
  errorClass: known(errorClasses, errorClass, "general-error"),
  text,
  used,
  hint,
});
