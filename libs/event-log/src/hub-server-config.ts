// nats-server's configuration for the hub: one user per node, which may publish the events, the heartbeats and the
// testimonies of that node, and read nothing but the last of its own events and what others testify (SAFETY S13); and one for the fleet service, which reads everything.
import { subjectToken } from "@baton/contracts/codec";
import { hubInboxPrefix, hubStream, witnessPrefix } from "./hub.ts";
import { type Permissions, quote } from "./server-config.ts";

export interface HubServerOptions {
  readonly host: string;
  readonly port: number;
  /** JetStream's directory. */
  readonly storeDir: string;
  /** The fleet service's own login: everything is allowed to it. */
  readonly admin: HubLogin;
  readonly nodes: readonly (HubLogin & { readonly node: string })[];
  readonly maxStoreBytes?: number;
}

export interface HubLogin {
  readonly user: string;
  readonly password: string;
}

export function hubPermissions(node: string, user: string): Permissions {
  const token = subjectToken(node);
  return {
    publish: [
      `baton.${token}.>`,
      `fleet.${token}.>`,
      `${witnessPrefix}.${token}`,
      `$JS.API.DIRECT.GET.${hubStream}.baton.${token}.>`,
    ],
    subscribe: [`${hubInboxPrefix(user)}.>`, `${witnessPrefix}.*`],
  };
}

export function hubServerConfig(options: HubServerOptions): string {
  const list = (subjects: readonly string[]) => `[${subjects.map(quote).join(", ")}]`;
  const login = ({ user, password }: HubLogin) => `user: ${quote(user)}, password: ${quote(password)}`;
  const nodes = options.nodes.map((each) => {
    const { publish, subscribe } = hubPermissions(each.node, each.user);
    return `    { ${login(each)}, permissions: { publish: ${list(publish)}, subscribe: ${list(subscribe)} } }`;
  });
  return `# Written by the fleet service at every start. The fleet's hub: one user per node.
server_name: "baton-hub"
host: ${quote(options.host)}
port: ${options.port}
logtime: true
max_payload: 1048576
ping_interval: "5s"
ping_max: 2
write_deadline: "5s"
jetstream {
  store_dir: ${quote(options.storeDir)}
  max_memory_store: 16777216
  max_file_store: ${options.maxStoreBytes ?? 8 * 1024 * 1024 * 1024}
}
accounts {
  FLEET {
    jetstream: enabled
    users: [
${[`    { ${login(options.admin)} }`, ...nodes].join(",\n")}
    ]
  }
}
`;
}
