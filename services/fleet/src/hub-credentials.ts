// One login per node, made once and kept: <state-dir>/nodes/<node>.json is what the node's baton.yaml needs. The fleet
// service's own login is in <state-dir>/hub.json. All files 0600.
import { randomBytes } from "node:crypto";
import { chmodSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { subjectToken } from "@baton/contracts";
import { messageOf } from "@baton/domain";
import type { HubLogin } from "@baton/event-log";

export interface NodeLogin extends HubLogin {
  readonly node: string;
  readonly url: string;
}

const nodeNameMax = 64;

/** What is wrong with a name, as a sentence; undefined when nothing is. */
export function nodeNameProblem(node: string): string | undefined {
  if (node.trim() === "" || node !== node.trim()) return "the name of a node is not empty and has no blanks around it";
  if (node.length > nodeNameMax) return `the name of a node has at most ${nodeNameMax} characters`;
  return undefined;
}

export function ensureAdmin(stateDir: string): HubLogin {
  mkdirSync(stateDir, { recursive: true, mode: 0o700 });
  const path = join(stateDir, "hub.json");
  const known = readLogin(path);
  if (known !== undefined) return known;
  const login = { user: "fleet", password: newPassword() };
  writePrivate(path, login);
  return login;
}

/** Keeps the password of a node that is known; a changed address of the hub is written into its file. */
export function ensureNode(stateDir: string, node: string, url: string): NodeLogin {
  const directory = nodesDirectory(stateDir);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const path = join(directory, `${subjectToken(node)}.json`);
  const known = readNode(path);
  if (known?.node === node && known.url === url) return known;
  const password = known?.password ?? newPassword();
  const login = { node, url, user: `node-${subjectToken(node)}`, password };
  writePrivate(path, login);
  return login;
}

/** Every node that was ever added. A file that is no login is left out and told. */
export function listNodes(stateDir: string, onProblem: (message: string) => void): NodeLogin[] {
  const directory = nodesDirectory(stateDir);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  return readdirSync(directory)
    .filter((name) => name.endsWith(".json"))
    .sort()
    .flatMap((name) => {
      const path = join(directory, name);
      try {
        const login = readNode(path);
        if (login !== undefined) return [login];
        onProblem(`${path} is not the login of a node`);
      } catch (error) {
        onProblem(messageOf(error));
      }
      return [];
    });
}

export const nodesDirectory = (stateDir: string): string => join(stateDir, "nodes");

const newPassword = (): string => randomBytes(24).toString("base64url");

function readNode(path: string): NodeLogin | undefined {
  const value = readJson(path);
  const login = toLogin(value);
  if (login === undefined || typeof value?.node !== "string" || typeof value.url !== "string") return undefined;
  return { ...login, node: value.node, url: value.url };
}

const readLogin = (path: string): HubLogin | undefined => toLogin(readJson(path));

function toLogin(value: Record<string, unknown> | undefined): HubLogin | undefined {
  if (typeof value?.user !== "string" || typeof value.password !== "string") return undefined;
  return { user: value.user, password: value.password };
}

/** Undefined when there is no such file; throws when it is there and is no JSON object. */
function readJson(path: string): Record<string, unknown> | undefined {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  } catch (cause) {
    throw new Error(`${path} is not JSON`, { cause });
  }
  throw new Error(`${path} is not a JSON object`);
}

function writePrivate(path: string, value: object): void {
  const aside = `${path}.${process.pid}.tmp`;
  writeFileSync(aside, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
  chmodSync(aside, 0o600);
  renameSync(aside, path);
}
