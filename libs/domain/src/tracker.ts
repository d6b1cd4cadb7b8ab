// What an instance can track, and how its trackers are told apart.

export type TrackerKind = "script" | "file" | "process" | "bfd";

/**
 * The aggregate of a tracker. Scripts, files, processes and BFD sessions have names of their own each: a script goes by its name, the
 * others by kind and name; so does a script whose name looks like one of those.
 */
export function trackerAggregate(kind: TrackerKind, name: string): { readonly kind: "tracker"; readonly id: string } {
  const plain = kind === "script" && !/^(script|file|process|bfd):/.test(name);
  return { kind: "tracker", id: plain ? name : `${kind}:${name}` };
}
