// What `track_virtual_servers` of baton.yaml names has to be in keepalived.conf: a name with a slip in it would be a quorum
// that nobody has, and a router that stays below the others for ever.
import { type Config, type Diagnostic, virtualServerName } from "@baton/keepalived-conf";
import type { Settings } from "./settings.ts";

/** Errors; empty: it can be used. */
export function trackingProblems(
  { virtualServers, instances }: Pick<Config, "virtualServers" | "instances">,
  { trackVirtualServers = [] }: Pick<Settings, "trackVirtualServers">,
  file: string,
): readonly Diagnostic[] {
  const servers = new Map(virtualServers.map((each) => [virtualServerName(each), each]));
  const names = new Set(instances.map(({ name }) => name));
  const taken = new Set<string>();
  return trackVirtualServers.flatMap((tracked): Diagnostic[] => {
    const { name } = tracked;
    const server = servers.get(name);
    const unknown = tracked.instances?.filter((each) => !names.has(each)) ?? [];
    const tracking = tracked.instances ?? [...names];
    const twice = tracking.find((each) => taken.has(`${each}\n${name}`));
    for (const each of tracking) taken.add(`${each}\n${name}`);
    return [
      ...(server === undefined ? [noServer(file, name, [...servers.keys()])] : []),
      ...unknown.map((each) => problem(file, "unknown-instance", `there is no vrrp_instance ${each}`)),
      ...(server?.haSuspend === true ? [suspended(file, name)] : []),
      ...(twice === undefined
        ? []
        : [problem(file, "tracked-twice", `vrrp_instance ${twice} tracks virtual server ${name} twice`)]),
    ];
  });
}

const listedMax = 5;

function noServer(file: string, name: string, known: readonly string[]): Diagnostic {
  const more = known.length > listedMax ? ", …" : "";
  const hint = known.length === 0 ? "there is none" : `there is ${known.slice(0, listedMax).join(", ")}${more}`;
  return problem(file, "unknown-virtual-server", `there is no virtual server ${name}`, hint);
}

/** A backup that does not check would take over from a master that does, and then find the same. */
const suspended = (file: string, name: string): Diagnostic =>
  problem(
    file,
    "tracked-ha-suspend",
    `virtual server ${name} cannot be tracked: with ha_suspend a backup does not check it`,
    "take ha_suspend out of it, or do not track it",
  );

const problem = (file: string, code: string, message: string, hint?: string): Diagnostic => ({
  file,
  line: 0,
  column: 0,
  severity: "error",
  code,
  errorClass: "ok",
  message: `track_virtual_servers: ${message}`,
  text: undefined,
  used: undefined,
  hint,
});
