// What a reload does, as data: one Change for each subject of the configuration that does not stay as it is. A subject
// is whatever has an identity of its own (an instance, one of its addresses, a real server's checker); the rest are its
// fields.

/** One setting of a subject. */
export interface FieldChange {
  /** Where it stands in the subject: `garp.delay`. */
  readonly path: string;
  /** As people know it, by keepalived's keyword where there is one: `garp_master_delay`. */
  readonly label: string;
  /** As text; undefined: it is not set. */
  readonly before: string | undefined;
  readonly after: string | undefined;
  /** Passwords and keys: that they change is told; `before` and `after` say no more than whether there is one. */
  readonly secret: boolean;
  /** `start`: only the next start of the node acts on it. */
  readonly effect: "reload" | "start";
}

export interface Change {
  /** What it is: `instance`, `sync group`, `script`, `address`, `virtual server`, `real server`, `checker`, `global`… */
  readonly kind: string;
  /** By its new name; empty where there is only one of its kind. */
  readonly name: string;
  /** `changed`: in place. `restarted`: what it was ends, and it begins again without what it knew. */
  readonly action: "added" | "removed" | "changed" | "restarted";
  /** What it is recognised by, where that is not the name: `VRID 51 on eth0, IPv4`. */
  readonly identity: string;
  /** Of `restarted` alone. */
  readonly why: string | undefined;
  /** Empty for what is added or removed. */
  readonly fields: readonly FieldChange[];
  /** Subjects inside of this one; empty where it is itself added or removed. */
  readonly parts: readonly Change[];
}
