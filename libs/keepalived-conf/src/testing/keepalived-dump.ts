// keepalived's own dump of what it understood (`keepalived -d`), read back for comparison with our Config.

export interface DumpedInstance {
  readonly name: string;
  /** Label → value, as `Label = value` lines say it. */
  readonly facts: ReadonlyMap<string, string>;
  readonly addresses: readonly string[];
  readonly excluded: readonly string[];
  readonly routes: readonly string[];
  readonly rules: readonly string[];
  readonly peers: readonly string[];
  /** `Use VMAC, …`. */
  readonly virtualMac: string | undefined;
  readonly scripts: readonly string[];
}

export interface DumpedScript {
  readonly name: string;
  readonly facts: ReadonlyMap<string, string>;
}

export interface Dump {
  readonly staticAddresses: readonly string[];
  readonly staticRoutes: readonly string[];
  readonly staticRules: readonly string[];
  readonly instances: readonly DumpedInstance[];
  readonly scripts: readonly DumpedScript[];
}

const fact = /^\s*([A-Za-z][^=]*?) = (.*)$/;

export function readDump(text: string): Dump {
  const vrrp = section(text, "VRRP Topology", "======CHECK");
  const scripts = section(text, "VRRP Scripts", "======CHECK")
    .split(/^ VRRP Script = /m)
    .slice(1);
  const listed = (title: string): string[] => {
    const lines = section(text, title, "\n------").split("\n").slice(1);
    return lines.filter((line) => line.startsWith("     ")).map((line) => line.trim());
  };
  return {
    staticAddresses: listed("Static Addresses"),
    staticRoutes: listed("Static Routes"),
    staticRules: listed("Static Rules"),
    // A dump that breaks off in the middle of an instance says nothing about it.
    instances: vrrp
      .split(/^ VRRP Instance = /m)
      .slice(1)
      .map(readInstance)
      .filter(({ facts }) => facts.has("Accept")),
    scripts: scripts.map((part) => ({ name: firstLine(part), facts: factsOf(part.split("\n").slice(1)) })),
  };
}

function section(text: string, from: string, to: string): string {
  const start = text.indexOf(`< ${from} >`);
  if (start < 0) return "";
  const end = text.indexOf(to, start);
  return text.slice(start, end < 0 ? undefined : end);
}

const firstLine = (text: string): string => text.split("\n")[0] ?? "";

function factsOf(lines: readonly string[]): Map<string, string> {
  const facts = new Map<string, string>();
  for (const line of lines) {
    const match = fact.exec(line);
    if (match?.[1] !== undefined && !facts.has(match[1])) facts.set(match[1], match[2] ?? "");
  }
  return facts;
}

function readInstance(text: string): DumpedInstance {
  const lines = text.split("\n").slice(1);
  const under = (title: RegExp) => {
    const start = lines.findIndex((line) => title.test(line));
    if (start < 0) return [];
    const after = lines.slice(start + 1);
    const end = after.findIndex((line) => !line.startsWith("     "));
    return after.slice(0, end < 0 ? undefined : end).map((line) => line.trim());
  };
  return {
    name: firstLine(text),
    facts: factsOf(lines),
    addresses: under(/^ {3}Virtual IP \(/),
    excluded: under(/^ {3}Virtual IP Excluded/),
    routes: under(/^ {3}Virtual Routes :/),
    rules: under(/^ {3}Virtual Rules :/),
    peers: under(/^ {3}Unicast Peer :/),
    virtualMac: lines.find((line) => /^ {3}Use (VMAC|IPVLAN)/.test(line))?.trim(),
    scripts: under(/^ {3}Tracked scripts/),
  };
}
