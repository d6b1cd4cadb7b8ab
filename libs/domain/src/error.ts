// What a catch clause has is `unknown`: libraries, and JavaScript itself, throw more than errors.

/** What it says, for a log line or a diagnostic. */
export const messageOf = (thrown: unknown): string => (thrown instanceof Error ? thrown.message : String(thrown));

export const toError = (thrown: unknown): Error => (thrown instanceof Error ? thrown : new Error(String(thrown)));
