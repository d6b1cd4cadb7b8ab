// What the shapes say of fields and names. None of it throws, whatever an older version has stored.
import type { Field } from "./compare.ts";
import { isMembers, type Members, seconds } from "./show.ts";

export const text = (value: unknown): string => (value === undefined || value === null ? "" : String(value));
export const named = (item: Members): string => text(item.name);
export const addressOf = ({ address }: Members): string => text(address);

export const label = (name: string): Field => ({ label: name });
/** Of the identity or the name, or told by another field. */
export const untold: Field = { untold: true };

export const duration: Field = { show: (value) => (typeof value === "number" ? seconds(value) : text(value)) };
export const hostAndPort: Field = {
  show: (value) => (isMembers(value) ? `${text(value.host)} port ${text(value.port)}` : undefined),
};
