// The command line of baton-fleet.
import { parseArgs } from "node:util";
import { messageOf } from "@baton/domain";
import { nodeNameProblem } from "./hub-credentials.ts";

export type ListenAddress =
  | { readonly kind: "tcp"; readonly host: string; readonly port: number }
  | { readonly kind: "unix"; readonly path: string };

export interface FleetOptions {
  readonly listen: ListenAddress;
  /** Names under which the page is asked for, besides addresses and localhost. */
  readonly hostNames: readonly string[];
  readonly stateDir: string;
  /** Nodes that are to have a login. */
  readonly nodes: readonly string[];
  readonly bus:
    | { readonly kind: "own"; readonly host: string; readonly port: number; readonly advertise: string | undefined }
    | { readonly kind: "external"; readonly url: string; readonly credentials: string | undefined };
  readonly readyFile: string | undefined;
}

export type ParsedOptions =
  | { readonly kind: "run"; readonly options: FleetOptions }
  | { readonly kind: "add-node"; readonly stateDir: string; readonly node: string; readonly url: string | undefined }
  | { readonly kind: "help" }
  | { readonly kind: "error"; readonly message: string };

export const defaultStateDir = "/var/lib/baton-fleet";

export const usage = `baton-fleet: the hub of a fleet of Baton nodes, and its page

  --listen HOST:PORT | unix:PATH   where the page is served (127.0.0.1:8112)
  --host-name NAME                 a name under which the page is asked for; may be repeated
  --state-dir DIR                  logins and stored events (${defaultStateDir})
  --nodes NAME,NAME                nodes that may report: a login for each in <state-dir>/nodes/<name>.json
  --add-node NAME                  makes the login of one more node and ends; a running hub takes it up
  --nats-listen HOST:PORT          where the hub's nats-server listens for the nodes (127.0.0.1:4222; port 0: any)
  --nats-advertise URL             how the nodes reach it, when that is not nats://HOST:PORT
  --nats-url URL                   use this nats-server (with JetStream) instead of an own one
  --nats-credentials FILE          its login: {"user": …, "password": …}
  --ready-file FILE                appears when the page is served and the bus is there
`;

export function parseOptions(argv: readonly string[]): ParsedOptions {
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        listen: { type: "string", default: "127.0.0.1:8112" },
        "host-name": { type: "string", multiple: true, default: [] },
        "state-dir": { type: "string", default: defaultStateDir },
        nodes: { type: "string", multiple: true, default: [] },
        "add-node": { type: "string" },
        "nats-listen": { type: "string" },
        "nats-advertise": { type: "string" },
        "nats-url": { type: "string" },
        "nats-credentials": { type: "string" },
        "ready-file": { type: "string" },
        help: { type: "boolean", short: "h" },
      },
    });
    return values.help === true ? { kind: "help" } : interpret(values);
  } catch (error) {
    return { kind: "error", message: messageOf(error) };
  }
}

interface Values {
  readonly listen: string;
  readonly "host-name": readonly string[];
  readonly "state-dir": string;
  readonly nodes: readonly string[];
  readonly "add-node"?: string | undefined;
  readonly "nats-listen"?: string | undefined;
  readonly "nats-advertise"?: string | undefined;
  readonly "nats-url"?: string | undefined;
  readonly "nats-credentials"?: string | undefined;
  readonly "ready-file"?: string | undefined;
}

function interpret(values: Values): ParsedOptions {
  const stateDir = values["state-dir"];
  const added = values["add-node"];
  if (added !== undefined) {
    const problem = nodeNameProblem(added);
    if (problem !== undefined) return { kind: "error", message: `--add-node: ${problem}` };
    return { kind: "add-node", stateDir, node: added, url: values["nats-advertise"] };
  }
  const nodes = values.nodes.flatMap((list) => list.split(",")).filter((name) => name !== "");
  for (const node of nodes) {
    const problem = nodeNameProblem(node);
    if (problem !== undefined) return { kind: "error", message: `--nodes: ${problem}` };
  }
  const listen = parseListen(values.listen);
  if (listen === undefined) return { kind: "error", message: "--listen takes HOST:PORT or unix:PATH" };
  const bus = interpretBus(values);
  if ("message" in bus) return { kind: "error", message: bus.message };
  const hostNames = values["host-name"].map((name) => name.toLowerCase());
  return { kind: "run", options: { listen, hostNames, stateDir, nodes, bus, readyFile: values["ready-file"] } };
}

function interpretBus(values: Values): FleetOptions["bus"] | { readonly message: string } {
  const url = values["nats-url"];
  const advertise = values["nats-advertise"];
  if (url !== undefined) {
    if (values["nats-listen"] !== undefined) return { message: "--nats-url and --nats-listen exclude each other" };
    if (!isNatsUrl(url)) return { message: "--nats-url begins with nats:// or tls://" };
    return { kind: "external", url, credentials: values["nats-credentials"] };
  }
  if (values["nats-credentials"] !== undefined) return { message: "--nats-credentials belongs to --nats-url" };
  if (advertise !== undefined && !isNatsUrl(advertise))
    return { message: "--nats-advertise begins with nats:// or tls://" };
  const address = parseHostPort(values["nats-listen"] ?? "127.0.0.1:4222");
  if (address === undefined) return { message: "--nats-listen takes HOST:PORT" };
  return { kind: "own", ...address, advertise };
}

const isNatsUrl = (url: string): boolean => /^(nats|tls):\/\//.test(url) && URL.canParse(url);

function parseListen(text: string): ListenAddress | undefined {
  if (text.startsWith("unix:")) return text.length > 5 ? { kind: "unix", path: text.slice(5) } : undefined;
  const address = parseHostPort(text);
  return address === undefined ? undefined : { kind: "tcp", ...address };
}

/** `[::1]:80`, `127.0.0.1:80`, `name:80`. */
export function parseHostPort(text: string): { readonly host: string; readonly port: number } | undefined {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:\s]+)):(\d{1,5})$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  return host === undefined || port > 65_535 ? undefined : { host, port };
}
