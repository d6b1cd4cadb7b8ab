// The groups of one pattern, and whether a reference to one means the same in both dialects: a reference to a group that
// took no part fails in PCRE2 and matches nothing in RegExp, which also forgets groups with each repetition.

interface Frame {
  /** The group's own name in the script; `plain` and `negative` are none. */
  readonly kind: string;
  readonly parent: Frame | undefined;
  branched: boolean;
  repeated: boolean;
  open: boolean;
}

export interface GroupBook {
  /** A capturing group; returns its name in the script. */
  add(name: string | undefined): string;
  has(name: string): boolean;
  /** A name for a group that the pattern does not have. */
  nameOfOwn(): string;
  enter(kind: string): void;
  branch(): void;
  leave(): void;
  /** Of groups (of whatever kind) so far. */
  count(): number;
  /** The groups from number `first` on are in something that repeats. */
  repeat(first: number): void;
  /** By number or name; returns the script. */
  reference(group: number | string, at: number): string;
  verify(refuse: (reason: string, at: number) => void): void;
}

export function openGroupBook(): GroupBook {
  const root: Frame = { kind: "plain", parent: undefined, branched: false, repeated: false, open: true };
  const frames: Frame[] = [];
  const capturing: (string | undefined)[] = [];
  const references: { readonly group: number | string; readonly at: number; readonly closed: boolean }[] = [];
  let frame = root;
  let own = 0;
  const numberOf = (group: number | string): number =>
    typeof group === "number" ? group : capturing.indexOf(group) + 1;
  const frameOf = (group: number | string): Frame | undefined =>
    frames.find(({ kind }) => kind === `g${numberOf(group)}`);
  const isCertain = (group: Frame): boolean => {
    if (group.repeated) return false;
    for (let each = group.parent; each !== undefined; each = each.parent) {
      if (each.branched || each.repeated || each.kind === "negative") return false;
    }
    return true;
  };
  return {
    add: (name) => `g${capturing.push(name)}`,
    has: (name) => capturing.includes(name),
    nameOfOwn: () => `own${own++}`,
    enter: (kind) => {
      frame = { kind, parent: frame, branched: false, repeated: false, open: true };
      frames.push(frame);
    },
    branch: () => {
      frame.branched = true;
    },
    leave: () => {
      frame.open = false;
      frame = frame.parent ?? root;
    },
    count: () => frames.length,
    repeat: (first) => {
      // The outermost alone: whoever is in it is asked through its parents.
      const outermost = frames[first];
      if (outermost !== undefined) outermost.repeated = true;
    },
    reference: (group, at) => {
      references.push({ group, at, closed: frameOf(group)?.open === false });
      return `\\k<g${numberOf(group)}>`;
    },
    verify: (refuse) => {
      for (const { group, at, closed } of references) {
        const target = frameOf(group);
        if (target === undefined) refuse(`a reference to a group that there is not: ${group}`, at);
        else if (!closed) refuse("a reference to a group that is not over", at);
        else if (!isCertain(target)) refuse("a reference to a group that may take no part, or repeats", at);
      }
    },
  };
}
