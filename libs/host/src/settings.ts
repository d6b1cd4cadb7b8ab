// baton.yaml: what is Baton's own. keepalived.conf stays loadable by keepalived, so nothing of this can be in there.
// An unknown key is an error: a setting that is silently ignored is worse than one that is refused.
import { messageOf } from "@baton/domain";
import type { Diagnostic } from "@baton/keepalived-conf";
import { isMap, isPair, isScalar, isSeq, LineCounter, type Node, parseDocument, type YAMLMap } from "yaml";

export interface Settings {
  readonly nats: { readonly url: string } | undefined; // undefined: baton up starts one
  readonly redis: { readonly url: string } | undefined; // undefined: baton up starts one
  readonly otlp: { readonly endpoint: string; readonly protocol: "http/protobuf" | "grpc" } | undefined;
  readonly hub:
    | { readonly url: string; readonly user: string | undefined; readonly password: string | undefined }
    | undefined;
  readonly metrics: { readonly host: string; readonly port: number } | undefined; // undefined: off
  readonly segments: Readonly<Record<string, string>>; // interface -> L2 segment id
  /** `notify.script_grace`: how long a notify script may still run once a later state of its instance waits; 60 s when absent. */
  readonly notify?: { readonly scriptGraceSeconds: number };
  /** `drift.repairs`: how often in a minute what somebody takes from the kernel is put back; 5 when absent, 0: never. */
  readonly drift?: { readonly repairs: number };
  /** How real servers are checked beyond what keepalived.conf says; as in keepalived where it says nothing. */
  readonly checks?: ChecksSettings;
  /** `track_virtual_servers`: whose quorum counts in the election; nobody's when absent. */
  readonly trackVirtualServers?: readonly TrackedVirtualServer[];
  /** `load_balancer`: what carries virtual servers; absent: `auto`, ip_vs where the kernel has it, nftables elsewhere. */
  readonly loadBalancer?: LoadBalancer;
}

/** `checks`. */
export interface ChecksSettings {
  /** Waits are up to this share shorter, by chance. */
  readonly jitter?: number;
  /** Probes at once; the others wait. */
  readonly concurrent?: number;
  /** `slow_start`: who comes back to others that serve has its whole weight after this long. */
  readonly slowStartSeconds?: number;
  /** `panic_guard`: the last live server of a service stays when it fails. */
  readonly panicGuard?: boolean;
}

export interface TrackedVirtualServer {
  /** `virtualServerName`. */
  readonly name: string;
  /** -253 to 253, but 0: added to the priority, a negative one while the quorum is lost, a positive one while it is there. */
  readonly weight: number;
  /** Undefined: every instance. */
  readonly instances: readonly string[] | undefined;
  /** How long a change lasts before the mastership may move by it; undefined: as long as other nodes need to find the same. */
  readonly holdSeconds: number | undefined;
}

export const loadBalancers = ["auto", "ipvs", "nftables"] as const;
export type LoadBalancer = (typeof loadBalancers)[number];

/** 10000 + 112, VRRP's protocol number: free of the ports of keepalived's exporters (9165, 9650), which may still run. */
const metricsPort = 10_112;

/** Without a baton.yaml: everything on this machine, metrics on loopback, no traces, no hub. */
export const defaultSettings: Settings = {
  nats: undefined,
  redis: undefined,
  otlp: undefined,
  hub: undefined,
  metrics: { host: "127.0.0.1", port: metricsPort },
  segments: {},
};

export interface ParsedSettings {
  /** Undefined when a diagnostic is an error. */
  readonly settings: Settings | undefined;
  readonly diagnostics: readonly Diagnostic[];
}

/** `readFile` reads what the file names (the hub's credentials); without it that is refused. */
export function parseSettings(text: string, file: string, readFile?: (path: string) => string): ParsedSettings {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true });
  const reader = new Reader(file, lines);
  for (const problem of [...document.errors, ...document.warnings]) {
    reader.report(problem.pos[0], "yaml-syntax", problem.message);
  }
  if (reader.diagnostics.length > 0) return { settings: undefined, diagnostics: reader.diagnostics };
  const root = document.contents;
  if (root === null || (isScalar(root) && root.value === null)) return { settings: defaultSettings, diagnostics: [] };
  const settings = isMap(root) ? readSettings(reader, root, readFile) : reader.expected(root, "a mapping of settings");
  return { settings: reader.diagnostics.length === 0 ? settings : undefined, diagnostics: reader.diagnostics };
}

const keys = [
  "nats",
  "redis",
  "otlp",
  "hub",
  "metrics",
  "segments",
  "notify",
  "drift",
  "checks",
  "track_virtual_servers",
  "load_balancer",
] as const;

function readSettings(reader: Reader, root: YAMLMap, readFile: ((path: string) => string) | undefined): Settings {
  const members = reader.members(root, "baton.yaml", keys);
  const notify = readNotify(reader, members.notify);
  const drift = readDrift(reader, members.drift);
  const checks = readChecks(reader, members.checks);
  const tracked = readTracked(reader, members.track_virtual_servers);
  const loadBalancer =
    members.load_balancer === undefined || reader.isNull(members.load_balancer)
      ? undefined
      : reader.oneOf(members.load_balancer, "load_balancer", loadBalancers);
  return {
    nats: readServer(reader, members.nats, "nats", ["nats:", "tls:"]),
    redis: readServer(reader, members.redis, "redis", ["redis:", "rediss:", "unix:"]),
    otlp: readOtlp(reader, members.otlp),
    hub: readHub(reader, members.hub, readFile),
    metrics: readMetrics(reader, members.metrics),
    segments: readSegments(reader, members.segments),
    ...(notify === undefined ? {} : { notify }),
    ...(drift === undefined ? {} : { drift }),
    ...(checks === undefined ? {} : { checks }),
    ...(tracked === undefined ? {} : { trackVirtualServers: tracked }),
    ...(loadBalancer === undefined ? {} : { loadBalancer }),
  };
}

function readNotify(reader: Reader, node: Node | undefined): Settings["notify"] {
  if (node === undefined || reader.isNull(node)) return undefined;
  if (!isMap(node)) return reader.expected(node, "notify: a mapping with `script_grace`");
  const grace = reader.members(node, "notify", ["script_grace"]).script_grace;
  if (grace === undefined) return undefined;
  if (isScalar(grace) && typeof grace.value === "number" && grace.value >= 0 && grace.value <= 86_400) {
    return { scriptGraceSeconds: grace.value };
  }
  return reader.expected(grace, "notify.script_grace: seconds, 0 to 86400");
}

function readDrift(reader: Reader, node: Node | undefined): Settings["drift"] {
  if (node === undefined || reader.isNull(node)) return undefined;
  if (!isMap(node)) return reader.expected(node, "drift: a mapping with `repairs`");
  const { repairs } = reader.members(node, "drift", ["repairs"]);
  if (repairs === undefined) return undefined;
  const value = isScalar(repairs) ? repairs.value : undefined;
  if (typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= 1_000) return { repairs: value };
  return reader.expected(repairs, "drift.repairs: a number, 0 to 1000");
}

/** Longer than any interval of a check: more is a mistake. */
const slowStartSecondsMax = 86_400;
const concurrentMax = 100_000;

function readChecks(reader: Reader, node: Node | undefined): Settings["checks"] {
  if (node === undefined || reader.isNull(node)) return undefined;
  const known = ["jitter", "concurrent", "slow_start", "panic_guard"] as const;
  if (!isMap(node)) return reader.expected(node, `checks: a mapping with ${known.join(", ")}`);
  const members = reader.members(node, "checks", known);
  const jitter = reader.number(members.jitter, "checks.jitter: a share, 0 to 0.5", [0, 0.5]);
  const concurrent = reader.number(
    members.concurrent,
    "checks.concurrent: a number, 1 to 100000",
    [1, concurrentMax],
    true,
  );
  const slowStart = "checks.slow_start: seconds, 0 to 86400";
  const slowStartSeconds = reader.number(members.slow_start, slowStart, [0, slowStartSecondsMax]);
  const panicGuard =
    members.panic_guard === undefined ? undefined : reader.truth(members.panic_guard, "checks.panic_guard");
  return {
    ...(jitter === undefined ? {} : { jitter }),
    ...(concurrent === undefined ? {} : { concurrent }),
    ...(slowStartSeconds === undefined ? {} : { slowStartSeconds }),
    ...(panicGuard === undefined ? {} : { panicGuard }),
  };
}

function readTracked(reader: Reader, node: Node | undefined): Settings["trackVirtualServers"] {
  if (node === undefined || reader.isNull(node)) return undefined;
  if (!isSeq(node)) return reader.expected(node, "track_virtual_servers: a list");
  return node.items.flatMap((item) => readTrackedOne(reader, item as Node) ?? []);
}

const trackedKeys = ["name", "weight", "instances", "hold"] as const;

function readTrackedOne(reader: Reader, node: Node): TrackedVirtualServer | undefined {
  const of = "track_virtual_servers";
  if (!isMap(node)) return reader.expected(node, `${of}: mappings with \`name\` and \`weight\``);
  const members = reader.members(node, of, trackedKeys);
  const name = reader.text(members.name ?? node, `${of}: name`);
  const weight = readWeight(reader, members.weight ?? node);
  const instances = readNames(reader, members.instances);
  const holdSeconds = reader.number(members.hold, "track_virtual_servers: hold: seconds, 0 to 86400", [0, 86_400]);
  return name === undefined || weight === undefined ? undefined : { name, weight, instances, holdSeconds };
}

function readWeight(reader: Reader, node: Node): number | undefined {
  const value = isScalar(node) ? node.value : undefined;
  if (typeof value === "number" && Number.isInteger(value) && value !== 0 && Math.abs(value) <= 253) return value;
  return reader.expected(node, "track_virtual_servers: weight: a number, -253 to 253, but not 0");
}

function readNames(reader: Reader, node: Node | undefined): readonly string[] | undefined {
  if (node === undefined || reader.isNull(node) || (isScalar(node) && node.value === "all")) return undefined;
  if (!isSeq(node)) return reader.expected(node, "track_virtual_servers: instances: a list of names, or `all`");
  return node.items.flatMap((item) => reader.text(item as Node, "track_virtual_servers: instances") ?? []);
}

function readServer(
  reader: Reader,
  node: Node | undefined,
  name: string,
  schemes: readonly string[],
): { url: string } | undefined {
  if (node === undefined || reader.isNull(node)) return undefined;
  if (!isMap(node)) return reader.expected(node, `${name}: a mapping with \`url\``);
  const members = reader.members(node, name, ["url"]);
  const url = reader.url(members.url ?? node, `${name}.url`, schemes);
  return url === undefined ? undefined : { url };
}

function readOtlp(reader: Reader, node: Node | undefined): Settings["otlp"] {
  if (node === undefined || reader.isNull(node)) return undefined;
  if (!isMap(node)) return reader.expected(node, "otlp: a mapping with `endpoint` and `protocol`");
  const members = reader.members(node, "otlp", ["endpoint", "protocol"]);
  const endpoint = reader.url(members.endpoint ?? node, "otlp.endpoint", ["http:", "https:"]);
  const protocol =
    members.protocol === undefined
      ? "http/protobuf"
      : reader.oneOf(members.protocol, "otlp.protocol", ["http/protobuf", "grpc"] as const);
  return endpoint === undefined || protocol === undefined ? undefined : { endpoint, protocol };
}

function readHub(
  reader: Reader,
  node: Node | undefined,
  readFile: ((path: string) => string) | undefined,
): Settings["hub"] {
  if (node === undefined || reader.isNull(node)) return undefined;
  if (isScalar(node) && typeof node.value === "string") return readHubFile(reader, node, node.value, readFile);
  if (!isMap(node))
    return reader.expected(node, "hub: a mapping with `url`, or the path of the file that the hub made");
  const members = reader.members(node, "hub", ["url", "user", "password"]);
  const url = reader.url(members.url ?? node, "hub.url", ["nats:", "tls:"]);
  const user = members.user === undefined ? undefined : reader.text(members.user, "hub.user");
  const password = members.password === undefined ? undefined : reader.text(members.password, "hub.password");
  if ((user === undefined) !== (password === undefined)) {
    reader.reportAt(node, "incomplete-login", "hub: `user` and `password` belong together");
  }
  return url === undefined ? undefined : { url, user, password };
}

/** `hub: /path/to/r1.json`: what the hub made for this node, so that no password is copied by hand. */
function readHubFile(
  reader: Reader,
  node: Node,
  path: string,
  readFile: ((path: string) => string) | undefined,
): Settings["hub"] {
  const refuse = (why: string): undefined => {
    const hint = "the hub makes this file: url, user and password as JSON";
    reader.reportAt(node, "hub-credentials", `hub: ${path} cannot be used: ${why}`, hint);
    return undefined;
  };
  try {
    const value: unknown = JSON.parse(readFile?.(path) ?? "null");
    if (typeof value !== "object" || value === null) return refuse("not an object");
    const { url, user, password } = value as Record<string, unknown>;
    if (typeof url !== "string" || !/^(nats|tls):\/\//.test(url)) return refuse("no url");
    if (typeof user !== "string" || typeof password !== "string") return refuse("no user and password");
    return { url, user, password };
  } catch (error) {
    return refuse(messageOf(error));
  }
}

function readMetrics(reader: Reader, node: Node | undefined): Settings["metrics"] {
  if (node === undefined) return defaultSettings.metrics;
  if (reader.isNull(node) || (isScalar(node) && node.value === false)) return undefined;
  if (!isMap(node)) return reader.expected(node, "metrics: a mapping with `host` and `port`, or false");
  const members = reader.members(node, "metrics", ["host", "port"]);
  const fallback = defaultSettings.metrics ?? { host: "127.0.0.1", port: 0 };
  const host = members.host === undefined ? fallback.host : reader.text(members.host, "metrics.host");
  const port = members.port === undefined ? fallback.port : reader.port(members.port, "metrics.port");
  return host === undefined || port === undefined ? undefined : { host, port };
}

function readSegments(reader: Reader, node: Node | undefined): Settings["segments"] {
  const segments: Record<string, string> = {};
  if (node === undefined || reader.isNull(node)) return segments;
  if (!isMap(node)) return reader.expected(node, "segments: a mapping of interface to segment name") ?? segments;
  for (const pair of node.items) {
    const name = isScalar(pair.key) ? String(pair.key.value) : "";
    const segment = reader.text(pair.value as Node, `segments.${name}`);
    if (segment !== undefined) segments[name] = segment;
  }
  return segments;
}

class Reader {
  readonly diagnostics: Diagnostic[] = [];
  readonly #file: string;
  readonly #lines: LineCounter;

  constructor(file: string, lines: LineCounter) {
    this.#file = file;
    this.#lines = lines;
  }

  report(offset: number, code: string, message: string, hint?: string): void {
    const { line, col } = this.#lines.linePos(offset);
    const place = { file: this.#file, line, column: col };
    this.diagnostics.push({
      ...place,
      severity: "error",
      code,
      errorClass: "ok",
      message,
      text: undefined,
      used: undefined,
      hint,
    });
  }

  reportAt(node: Node, code: string, message: string, hint?: string): void {
    this.report(node.range?.[0] ?? 0, code, message, hint);
  }

  expected(node: Node, what: string): undefined {
    this.reportAt(node, "wrong-type", `expected ${what}`);
    return undefined;
  }

  isNull(node: Node): boolean {
    return isScalar(node) && node.value === null;
  }

  members<Key extends string>(map: YAMLMap, of: string, known: readonly Key[]): { [K in Key]?: Node } {
    const members: { [K in Key]?: Node } = {};
    for (const pair of map.items) {
      if (!isPair(pair) || !isScalar(pair.key)) {
        this.reportAt(map, "wrong-type", `${of}: keys are plain words`);
        continue;
      }
      const name = String(pair.key.value);
      const key = known.find((candidate) => candidate === name);
      if (key !== undefined) members[key] = pair.value as Node;
      else this.report(pair.key.range?.[0] ?? 0, "unknown-setting", `${of}: no setting \`${name}\``, hintFor(known));
    }
    return members;
  }

  text(node: Node, name: string): string | undefined {
    if (isScalar(node) && typeof node.value === "string" && node.value !== "") return node.value;
    return this.expected(node, `${name}: text`);
  }

  port(node: Node, name: string): number | undefined {
    if (isScalar(node) && typeof node.value === "number" && Number.isInteger(node.value)) {
      if (node.value >= 0 && node.value <= 65_535) return node.value;
    }
    return this.expected(node, `${name}: a port, 0 to 65535`);
  }

  /** `what` with its range in words. */
  number(
    node: Node | undefined,
    what: string,
    [min, max]: readonly [number, number],
    whole = false,
  ): number | undefined {
    if (node === undefined) return undefined;
    const value = isScalar(node) ? node.value : undefined;
    const isFine = typeof value === "number" && value >= min && value <= max && (!whole || Number.isInteger(value));
    return isFine ? value : this.expected(node, what);
  }

  truth(node: Node, name: string): boolean | undefined {
    return isScalar(node) && typeof node.value === "boolean"
      ? node.value
      : this.expected(node, `${name}: true or false`);
  }

  oneOf<Value extends string>(node: Node, name: string, values: readonly Value[]): Value | undefined {
    const value = values.find((candidate) => isScalar(node) && node.value === candidate);
    return value ?? this.expected(node, `${name}: ${values.map((each) => `\`${each}\``).join(" or ")}`);
  }

  url(node: Node, name: string, schemes: readonly string[]): string | undefined {
    const value = isScalar(node) && typeof node.value === "string" ? node.value : undefined;
    const shapes = schemes.map((scheme) => `${scheme}//`).join(" or ");
    if (value === undefined || !URL.canParse(value) || !schemes.includes(new URL(value).protocol)) {
      return this.expected(node, `${name}: an address that begins with ${shapes}`);
    }
    return value;
  }
}

const hintFor = (known: readonly string[]): string => `known here: ${known.join(", ")}`;
