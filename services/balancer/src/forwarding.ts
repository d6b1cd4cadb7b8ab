// Servers behind NAT are reached through this machine, which must forward for that. As keepalived, Baton does not turn
// that on by itself (it opens the machine to more than its virtual servers), but says so.
import { readFileSync } from "node:fs";
import { ipFamily } from "@baton/domain";
import type { Config } from "@baton/keepalived-conf";

const settings = {
  4: { file: "/proc/sys/net/ipv4/ip_forward", name: "net.ipv4.ip_forward" },
  6: { file: "/proc/sys/net/ipv6/conf/all/forwarding", name: "net.ipv6.conf.all.forwarding" },
} as const;

/** Empty where all is well, or cannot be read. */
export function forwardingErrors({ virtualServers }: Config, read = readSetting): string[] {
  const families = new Set(
    virtualServers.flatMap(({ realServers }) =>
      realServers
        .filter(({ forwarding }) => forwarding.method === "masquerade")
        .map(({ address }) => ipFamily(address)),
    ),
  );
  return [...families]
    .filter((family) => read(settings[family].file) === "0")
    .map((family) => `${settings[family].name} is 0: servers that are reached by NAT are not reached`);
}

function readSetting(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8").trim();
  } catch {
    return undefined; // a kernel without this family
  }
}
