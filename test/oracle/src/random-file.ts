// Whole configurations at random, of the kind that people have: several instances that track the same scripts, virtual
// servers behind them, definitions for what repeats, conditions for what differs between routers, parts in files of
// their own; and now and then something wrong, as people are wrong.
import { type BlockLines, sampleLines } from "@baton/keepalived-conf/testing";
import { createRandom, type Random } from "@baton/simulator";
import { configId } from "./keepalived.ts";
import type { Configuration } from "./trial.ts";
import { isKnownTo } from "./version.ts";

/** What the lines are drawn with, and from. */
interface Source {
  readonly random: Random;
  readonly lines: ReadonlyMap<string, BlockLines>;
}

/** For keepalived in this version; the same file for the same seed. */
export function randomFiles(version: string): (seed: number) => Configuration {
  const lines = sampleLines((since) => isKnownTo(version, since));
  return (seed) => randomFile({ random: createRandom(seed), lines }, seed);
}

function randomFile(source: Source, seed: number): Configuration {
  const { random } = source;
  const files = new Map<string, string>();
  let text = structure(source);
  for (let count = wrongs(random); count > 0; count--) text = withMistake(text, source);
  text = text.map((line) => (random.chance(0.05) ? dressed(line, random) : line));
  if (random.chance(0.4)) text = withDefinitions(text, random);
  if (random.chance(0.3)) text = withIncludes(text, files, random);
  return { name: `file ${seed}`, text: `${text.join("\n")}\n`, files: Object.fromEntries(files) };
}

/** Most files are right, or nearly. */
const wrongs = (random: Random): number => (random.chance(0.4) ? 0 : random.integer(1, 3));

const block = (open: string, ...inner: readonly (readonly string[])[]): string[] => [
  `${open} {`,
  ...inner.flat().map((line) => `  ${line}`),
  "}",
];

const times = (count: number, make: (number: number) => readonly string[]): string[] =>
  Array.from({ length: count }, (_, index) => make(index + 1)).flat();

/** Usual lines of the block, one keyword at most once. */
function usual(path: string, { random, lines }: Source, share: number): string[] {
  const { usual: all }: BlockLines = lines.get(path) ?? { usual: [], others: [] };
  return all.filter(() => random.chance(share)).flat();
}

function structure(source: Source): string[] {
  const { random } = source;
  const instances = random.integer(0, 4);
  const servers = random.integer(instances === 0 ? 1 : 0, 3);
  return [
    ...block("global_defs", ["enable_script_security", "script_user root"], usual("global_defs", source, 0.04)),
    ...objects(source),
    ...(instances > 1 && random.chance(0.5) ? syncGroup(instances, source) : []),
    ...times(instances, (number) => instance(number, source)),
    ...(random.chance(0.3) ? ["static_routes {", "  10.77.0.0/16 via 10.0.0.1 dev eth0", "}"] : []),
    ...(servers > 0 && random.chance(0.4)
      ? block("virtual_server_group VSG", ["10.0.0.13 80", "10.0.0.20-25 80"])
      : []),
    ...times(servers, (number) => virtualServer(number, source)),
  ];
}

/** What instances and checkers refer to; one may be forgotten. */
function objects(source: Source): string[] {
  const { random } = source;
  const all = [
    block("vrrp_script SCR", ["script /usr/bin/true"], usual("vrrp_script", source, 0.2)),
    block("track_file FIL", ["file {DIR}/tracked"], usual("track_file", source, 0.1)),
    block("vrrp_track_process PRO", ["process /usr/bin/true"], usual("vrrp_track_process", source, 0.1)),
    block("bfd_instance BFD", ["neighbor_ip 10.0.0.3", "source_ip 10.0.0.9"], usual("bfd_instance", source, 0.1)),
    block("track_group TGR", ["group { VI_1 }"]),
  ];
  return all.filter(() => random.chance(0.95)).flat();
}

function syncGroup(instances: number, source: Source): string[] {
  const { random } = source;
  const members = Array.from({ length: instances }, (_, index) => `VI_${index + 1}`).filter(() => random.chance(0.8));
  return block(
    "vrrp_sync_group GRP",
    ["group {", ...members.map((name) => `  ${name}`), "}"],
    usual("vrrp_sync_group", source, 0.1),
  );
}

function instance(number: number, source: Source): string[] {
  const { random } = source;
  const device = random.pick(["eth0", "eth0", "eth1", "eth2", "nosuch0"]);
  const vrid = random.chance(0.05) ? 1 : number;
  const addresses = times(random.integer(1, 3), (index) => [
    `10.0.${number}.${index}/24${random.chance(0.3) ? " dev eth0" : ""}`,
  ]);
  const state = random.pick([["state MASTER"], ["state BACKUP"], []]);
  const authentication = random.chance(0.3) ? block("authentication", ["auth_type PASS", "auth_pass secret"]) : [];
  return block(
    `vrrp_instance VI_${number}`,
    state,
    [`interface ${device}`, `virtual_router_id ${vrid}`, `priority ${random.integer(1, 255)}`],
    random.chance(0.5) ? [`advert_int ${random.pick(["1", "2", "0.5", "10", "50"])}`] : [],
    authentication,
    block("virtual_ipaddress", addresses),
    usual("vrrp_instance", source, 0.06),
  );
}

function virtualServer(number: number, source: Source): string[] {
  const { random } = source;
  const id = random.pick([
    `10.0.8.${number} 80`,
    `10.0.8.${number} 443`,
    `fwmark ${number}`,
    "group VSG",
    `fd00::8:${number} 80`,
  ]);
  const net = id.startsWith("fd00") ? "fd00::9:" : "10.0.9.";
  const reals = times(random.integer(1, 3), (index) =>
    block(`real_server ${net}${index} 80`, usual("virtual_server.real_server", source, 0.08), checker(source)),
  );
  return block(
    `virtual_server ${id}`,
    [
      "delay_loop 6",
      `lb_algo ${random.pick(["rr", "wlc", "sh"])}`,
      `lb_kind ${random.pick(["NAT", "DR", "TUN"])}`,
      "protocol TCP",
    ],
    usual("virtual_server", source, 0.05),
    reals,
  );
}

function checker(source: Source): string[] {
  const { random } = source;
  const kind = random.pick([
    "TCP_CHECK",
    "HTTP_GET",
    "SSL_GET",
    "SMTP_CHECK",
    "DNS_CHECK",
    "PING_CHECK",
    "UDP_CHECK",
    "MISC_CHECK",
    "none",
  ]);
  if (kind === "none") return [];
  const path = `virtual_server.real_server.${kind}`;
  const url =
    kind === "HTTP_GET" || kind === "SSL_GET" ? block("url", ["path /"], usual(`${path}.url`, source, 0.1)) : [];
  return block(kind, kind === "MISC_CHECK" ? ["misc_path /usr/bin/true"] : [], url, usual(path, source, 0.15));
}

/** One line more, one less, twice, misspelt, or a brace lost. */
function withMistake(text: readonly string[], source: Source): string[] {
  const { random } = source;
  const at = random.integer(0, text.length - 1);
  const line = text[at] ?? "";
  const before = text.slice(0, at);
  const after = text.slice(at + 1);
  return random.pick<() => string[]>([
    () => [...before, line, ...strangeLines(source), ...after],
    () => [...before, line, ...strangeLines(source), ...after],
    () => [...before, ...after],
    () => [...before, line, line, ...after],
    () => [...before, without(line, random), ...after],
    () => [...before, line, random.pick(["}", "{", '"', "nosuch", "@", "$", "~SEQ"]), ...after],
  ])();
}

function without(line: string, random: Random): string {
  const at = random.integer(0, line.length);
  return line.slice(0, at) + line.slice(at + 1);
}

function strangeLines({ random, lines }: Source): readonly string[] {
  const { others } = random.pick([...lines.values()] as [BlockLines, ...BlockLines[]]);
  return others[random.integer(0, others.length - 1)] ?? [];
}

/** The same line in other clothes: comments, blanks, conditions; or one for another router. */
const dressed = (line: string, random: Random): string =>
  random.pick([
    `${line} # a note`,
    `\t${line}\t`,
    `${line}! a note`,
    `${line}\r`,
    `@${configId} ${line}`,
    `@other ${line}`,
    `@^other ${line}`,
    `@^${configId} ${line}`,
    `${line}\n\n# \${X} "a note`,
    `~SEQ(I, 1, 2) ${line}`,
    `~SEQ(I, 1, 3) \${I}${line}`,
    `~LST(I, 1, 7) ${line} \${I}`,
  ]);

/** A word here and there is written as a definition, and perhaps some lines together. */
function withDefinitions(text: readonly string[], random: Random): string[] {
  const definitions: string[] = [];
  const body = text.map((line) => {
    const words = line.split(" ");
    const at = random.integer(0, words.length - 1);
    const word = words[at] ?? "";
    if (word === "" || !random.chance(0.08)) return line;
    const name = `D${definitions.length}`;
    definitions.push(`$${name}=${word}`);
    words[at] = random.pick([`$${name}`, `\${${name}}`, `\${${name}}`]);
    return words.join(" ");
  });
  if (random.chance(0.5)) {
    const at = random.integer(0, body.length - 2);
    const taken = body.splice(at, random.integer(1, 3), "$LINES");
    definitions.push("$LINES= \\", ...taken.map((line) => `${line} \\`), "");
  }
  return [...definitions, ...body];
}

/** Some lines in another file, whole blocks or not. */
function withIncludes(text: readonly string[], files: Map<string, string>, random: Random): string[] {
  const body = [...text];
  for (let count = random.integer(1, 2); count > 0; count--) {
    const at = random.integer(0, body.length - 1);
    const name = `part${count}.conf`;
    const keyword = random.pick(["include", "include", "includer", "includem", "includew", "includeb", "includea"]);
    const taken = body.splice(
      at,
      random.integer(1, 9),
      `${keyword} ${random.pick([name, name, `part[${count}].conf`, "part9.conf"])}`,
    );
    files.set(name, `${taken.join("\n")}\n`);
  }
  return body;
}
