// credentials.json in the run directory: made anew by every `baton up`, mode 0600.
import { readFile } from "node:fs/promises";
import { paths } from "./env.ts";

export interface NodeCredentials {
  readonly nats: {
    readonly url: string;
    readonly users: Readonly<Record<string, { readonly user: string; readonly password: string }>>;
  };
  readonly redis: { readonly url: string };
}

/** Undefined while the file is not there; throws when it is there and no such thing. */
export async function readCredentials(runDir: string): Promise<NodeCredentials | undefined> {
  const path = paths.credentials(runDir);
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  const value: unknown = JSON.parse(text);
  if (!isCredentials(value)) throw new Error(`${path}: not the credentials of a node`);
  return value;
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;

function isCredentials(value: unknown): value is NodeCredentials {
  if (!isRecord(value) || !isRecord(value.nats) || !isRecord(value.redis)) return false;
  const { nats, redis } = value;
  if (typeof nats.url !== "string" || typeof redis.url !== "string" || !isRecord(nats.users)) return false;
  return Object.values(nats.users).every(
    (user) => isRecord(user) && typeof user.user === "string" && typeof user.password === "string",
  );
}
