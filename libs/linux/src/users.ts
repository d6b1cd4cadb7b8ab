// Names of users and groups as numbers. The files first, which answer at once; then getent, which also asks LDAP and
// whatever else the machine's name service knows. Only while a configuration is read, never on the failover path.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import type { UserIds } from "./api.ts";

const FIRST_ANSWER_MILLIS = 2_000;

/** `group` defaults to the user's own. Undefined when either is unknown. */
export function resolveUser(user: string, group?: string): UserIds | undefined {
  const entry = lookUp("passwd", user);
  const uid = idOf(entry?.[2]);
  const gid = idOf(group === undefined ? entry?.[3] : lookUp("group", group)?.[2]);
  return uid === undefined || gid === undefined ? undefined : { uid, gid };
}

/** The fields of the entry of that name. */
function lookUp(database: "passwd" | "group", name: string): string[] | undefined {
  // getent would take a number for an id and a list of names for several; a colon cannot be in a name.
  if (!/^[A-Za-z_][^:\s]*$/.test(name)) return undefined;
  const listed = entries(readFile(`/etc/${database}`)).find((fields) => fields[0] === name);
  if (listed !== undefined) return listed;
  const answer = spawnSync("getent", [database, name], { encoding: "utf8", timeout: FIRST_ANSWER_MILLIS });
  return answer.status === 0 ? entries(answer.stdout).find((fields) => fields[0] === name) : undefined;
}

const entries = (text: string): string[][] => text.split("\n").map((line) => line.split(":"));

function readFile(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return ""; // a machine without the file has another name service
  }
}

function idOf(text: string | undefined): number | undefined {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}
