// Facts about the machine that a configuration is for. The parser asks for them, so that it stays pure.

/** What the caller knows of the machine; what is absent is not checked. */
export interface Machine {
  readonly hostName: string;
  /** True for a path that can be executed, and for a bare name that is found in PATH. */
  readonly executable?: ((name: string) => boolean) | undefined;
  /** What a path leads to, links followed; undefined: nothing. */
  readonly fileKind?: ((path: string) => FileKind | undefined) | undefined;
  /** How many processors are online. */
  readonly processors?: number | undefined;
  readonly interfaceExists?: ((name: string) => boolean) | undefined;
  readonly userExists?: ((name: string) => boolean) | undefined;
  readonly groupExists?: ((name: string) => boolean) | undefined;
  /** What lets somebody else than root change the program, if `user` (this process's own when absent) is root. */
  readonly scriptWeakness?: ((program: string, user: string | undefined) => ScriptWeakness | undefined) | undefined;
  /** The number that a name has in the files of iproute2; the names that every machine has are known without it. */
  readonly numberOfName?: ((table: NameTable, name: string) => number | undefined) | undefined;
  /** The network namespace that it runs in whatever `net_namespace` says (keepalived's --namespace). */
  readonly netNamespace?: string | undefined;
  /** Why nothing can run in the network namespace of this name; undefined: something can. */
  readonly namespaceTrouble?: ((name: string) => string | undefined) | undefined;
  /** IFLA_MTU of an interface, in octets; undefined where it is not known. */
  readonly mtu?: ((name: string) => number | undefined) | undefined;
  /** IFLA_INFO_KIND of an interface, such as `vrf` or `macvlan`; empty for hardware, undefined where it is not known. */
  readonly linkKind?: ((name: string) => string | undefined) | undefined;
}

export type FileKind = "directory" | "file" | "other";

/** The files of /etc/iproute2 (and /usr/share/iproute2) that give numbers names, and /etc/protocols. */
export const nameTables = [
  "rt_tables",
  "rt_protos",
  "rt_scopes",
  "rt_realms",
  "rt_dsfield",
  "group",
  "protocols",
] as const;
export type NameTable = (typeof nameTables)[number];

/** The first part of a program's path, from the root on, that others than root can change. */
export interface ScriptWeakness {
  readonly path: string;
  /**
   * It is not root's; a group that is not root's may write to it; everybody may. A link to a directory is no weakness, but
   * keepalived 2.4 takes it for one.
   */
  readonly reason: "owner" | "group" | "everybody" | "link";
}

const reasons: Readonly<Record<ScriptWeakness["reason"], (path: string) => string>> = {
  owner: (path) => `${path} does not belong to root`,
  group: (path) => `a group other than root's may write to ${path}`,
  everybody: (path) => `everybody may write to ${path}`,
  link: (path) => `${path} is a link`,
};

/** For messages. */
export const weaknessText = ({ path, reason }: ScriptWeakness): string => reasons[reason](path);
