/** Throws when `condition` is false: a bug in Baton, never a reaction to input. Assertions stay on in production. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`assertion failed: ${message}`);
}

/** Makes an unhandled member of a union a compile error, and a throw if one still arrives. */
export function assertNever(value: never): never {
  throw new Error(`assertion failed: unhandled ${JSON.stringify(value)}`);
}
