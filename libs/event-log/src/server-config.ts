// nats-server's configuration for one node: loopback only, JetStream on disk, and one user per service that may publish
// nothing but its own events. Only election may say became-master; a health that was taken over cannot.
import { subjectToken } from "@baton/contracts/codec";
import type { AggregateKind, ServiceName } from "@baton/domain";
import { eventStream } from "./bus.ts";

export interface NatsServerOptions {
  readonly node: string;
  readonly port: number;
  /** JetStream's directory. */
  readonly storeDir: string;
  /** Password of each user; made at random by the caller for every start. */
  readonly passwords: Readonly<Record<NatsUser, string>>;
  readonly pidFile?: string;
  readonly maxStoreBytes?: number;
}

/** The services, and `admin`, with which the supervisor prepares the stream. */
export const natsUsers = [
  "admin",
  "election",
  "health",
  "dataplane",
  "balancer",
  "notifier",
  "control",
  "uplink",
  "supervisor",
] as const satisfies readonly (ServiceName | "admin")[];
export type NatsUser = (typeof natsUsers)[number];

/** Whose aggregates are whose (DESIGN rule 4). Everybody also owns `service.<itself>`. */
const ownKinds: Readonly<Record<Exclude<NatsUser, "admin">, readonly AggregateKind[]>> = {
  election: ["vrrp", "group"],
  health: ["tracker", "checker", "virtual-server"],
  dataplane: ["address"],
  balancer: ["balancer"],
  notifier: ["notification"],
  control: ["config"],
  uplink: [],
  supervisor: [],
};

/** Who reads stored events by consumers made for one read (`history`). */
const historyReaders: ReadonlySet<NatsUser> = new Set(["control", "uplink", "supervisor"]);

export const inboxPrefix = (user: NatsUser): string => `_INBOX_${user}`;

export interface Permissions {
  readonly publish: readonly string[];
  readonly subscribe: readonly string[];
}

export function permissionsOf(node: string, user: Exclude<NatsUser, "admin">): Permissions {
  const mine = `baton.${subjectToken(node)}`;
  const events = [...ownKinds[user].map((kind) => `${mine}.${kind}.*.*`), `${mine}.service.${user}.*`];
  const api = "$JS.API";
  const stream = eventStream;
  const reading = [
    // What is there of an aggregate, before the outbox publishes the rest.
    `${api}.STREAM.MSG.GET.${stream}`,
    `${api}.STREAM.INFO.${stream}`,
    // A durable consumer of its own name.
    `${api}.CONSUMER.CREATE.${stream}.${user}.>`,
    `${api}.CONSUMER.CREATE.${stream}.${user}`,
    `${api}.CONSUMER.DURABLE.CREATE.${stream}.${user}`,
    `${api}.CONSUMER.INFO.${stream}.${user}`,
    `${api}.CONSUMER.MSG.NEXT.${stream}.${user}`,
    `$JS.ACK.${stream}.${user}.>`,
  ];
  const history = historyReaders.has(user)
    ? [
        `${api}.INFO`,
        `${api}.CONSUMER.CREATE.${stream}`,
        `${api}.CONSUMER.CREATE.${stream}.>`,
        `${api}.CONSUMER.INFO.${stream}.*`,
        `${api}.CONSUMER.DELETE.${stream}.*`,
        `${api}.CONSUMER.MSG.NEXT.${stream}.*`,
      ]
    : [];
  return {
    publish: [...events, ...reading, ...history],
    subscribe: [`${mine}.>`, `${inboxPrefix(user)}.>`],
  };
}

export function natsServerConfig(options: NatsServerOptions): string {
  const users = natsUsers.map((user) => {
    const login = `user: ${quote(user)}, password: ${quote(options.passwords[user])}`;
    if (user === "admin") return `    { ${login} }`;
    const { publish, subscribe } = permissionsOf(options.node, user);
    const list = (subjects: readonly string[]) => `[${subjects.map(quote).join(", ")}]`;
    return `    { ${login}, permissions: { publish: ${list(publish)}, subscribe: ${list(subscribe)} } }`;
  });
  const store = options.maxStoreBytes ?? 1024 * 1024 * 1024;
  return `# Written by baton up at every start. The node's own bus: loopback only, one user per service.
server_name: ${quote(`baton-${subjectToken(options.node)}`)}
host: "127.0.0.1"
port: ${options.port}
${options.pidFile === undefined ? "" : `pid_file: ${quote(options.pidFile)}\n`}logtime: true
max_payload: 1048576
ping_interval: "30s"
ping_max: 2
write_deadline: "2s"
jetstream {
  store_dir: ${quote(options.storeDir)}
  max_memory_store: 16777216
  max_file_store: ${store}
}
# The events live in an account of their own: a leaf link to a hub would not carry it (SAFETY S14).
accounts {
  BATON {
    jetstream: enabled
    users: [
${users.join(",\n")}
    ]
  }
}
`;
}

/** A quoted string of the configuration language; backslash and quote are its only specials. */
export function quote(text: string): string {
  if (/[\r\n\0]/.test(text)) throw new Error("a nats-server.conf value cannot hold a line break");
  return `"${text.replace(/[\\"]/g, (character) => `\\${character}`)}"`;
}
