// The questions of the core, put to the kernel: ip_vs by generic netlink, nftables by nft. No answer is an answer too.
import { execFileSync } from "node:child_process";
import { networkInterfaces } from "node:os";
import { messageOf, parseIp } from "@baton/domain";
import { type DumpedDestination, destinationName, type ServiceKey, serviceName } from "@baton/ipvs";
import {
  type ChangeResult,
  type ConnectionCounter,
  type IpvsTable,
  LinuxError,
  listNft,
  type Nft,
  openConnectionCounter,
  openIpvsTable,
  openNft,
  removeUdpFlows,
  rulesVersion,
  type TranslatedConnections,
} from "@baton/linux";
import { listElements, listTable, type Prefix, readTable, type TableState } from "@baton/nft-balancer";
import type { Answer, Ask, Connected, Place } from "./keeper.ts";

export interface EngineKernel {
  /** A promise where another program is asked, which may take long; it never rejects. The next question comes after it. */
  carryOut(ask: Ask): Answer | Promise<Answer>;
  /** What is being carried out is given up: it fails at once, and the kernel has all of it, or nothing. */
  cancel(): void;
  close(): void;
}

/** Goes where the engine is; synchronous code only. */
export type Inside = <T>(action: () => T) => T;

/** Throws LinuxError with ENOENT where the kernel has no ip_vs, also no module of it. */
export function openIpvsKernel(): EngineKernel {
  // Opened anew after trouble: the module may have been taken out and loaded again, under another number.
  let table: IpvsTable | undefined = openIpvs();
  const close = (): void => {
    table?.close();
    table = undefined;
  };
  return {
    carryOut(ask) {
      try {
        table ??= openIpvs();
        return askIpvs(table, ask);
      } catch (error) {
        close();
        return { kind: "failed", error: messageOf(error) };
      }
    },
    cancel: () => undefined,
    close,
  };
}

/** The kernel loads the module by itself when its family is asked for, where it may; keepalived calls modprobe as well. */
function openIpvs(): IpvsTable {
  try {
    return openIpvsTable();
  } catch (error) {
    if (!(error instanceof LinuxError) || error.code !== "ENOENT") throw error;
    if (!loadModule()) throw error;
    return openIpvsTable();
  }
}

function loadModule(): boolean {
  // Not the caller's PATH: a service manager may have no sbin in it.
  const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  try {
    execFileSync("modprobe", ["-q", "ip_vs"], { env: { PATH }, stdio: "ignore", timeout: 5_000 });
    return true;
  } catch {
    return false; // What is missing is said by whoever needs the module.
  }
}

function askIpvs(table: IpvsTable, ask: Ask): Answer {
  switch (ask.kind) {
    case "list-services":
      return { kind: "services", services: table.listServices() };
    case "list-destinations":
      return { kind: "destinations", lists: ask.services.map((service) => table.listDestinations(service)) };
    case "count-connections":
      return { kind: "connections", connected: connectedByTable(ask.places, (key) => table.listDestinations(key)) };
    case "change":
      return { kind: "changed", errors: table.change(ask.operations).map(errorOf) };
    case "list-daemons":
      return { kind: "daemons", daemons: table.listDaemons() };
    case "change-daemons": {
      const results = ask.operations.map((operation) =>
        operation.kind === "stop-daemon" ? table.stopDaemon(operation.role) : table.startDaemon(operation.daemon),
      );
      return { kind: "changed", errors: results.map(errorOf) };
    }
    case "read-timeouts":
      return { kind: "timeouts", timeouts: table.timeouts() };
    case "set-timeouts":
      return { kind: "changed", errors: [errorOf(table.setTimeouts(ask.timeouts))] };
    default:
      return { kind: "failed", error: `not a question for ip_vs: ${ask.kind}` };
  }
}

/** Each service is listed once. */
export function connectedByTable(
  places: readonly Place[],
  list: (service: ServiceKey) => readonly DumpedDestination[],
): (Connected | undefined)[] {
  const lists = new Map<string, readonly DumpedDestination[]>();
  return places.map(({ service, destination }) => {
    const name = serviceName(service);
    const listed = lists.get(name) ?? list(service);
    lists.set(name, listed);
    const found = listed.find((each) => destinationName(each) === destinationName(destination));
    return found && { weight: found.weight, active: livingOf(service, found) };
  });
}

/**
 * Active is what is established by TCP or SCTP; a UDP flow never is, and lives until it is forgotten (lvs_timeouts). A mark
 * may carry UDP. Of TCP the rest does not count: everybody who has left is remembered for 2 min, for which no drain is to
 * wait; the price is that a half closed connection, on which the server still sends, is not waited for.
 */
function livingOf(service: ServiceKey, { connections: { active, inactive } }: DumpedDestination): number {
  const hasStates = service.kind === "address" && service.protocol !== "udp";
  return hasStates ? active : active + inactive;
}

const errorOf = (result: ChangeResult): string | undefined =>
  result.ok ? undefined : result.message === "" ? result.code : `${result.code}: ${result.message}`;

/** Throws LinuxError with ENOENT without the nft command. */
export function openNftablesKernel(inside: Inside): EngineKernel {
  inside(() => listNft(["list", "tables"], "list the tables"));
  const nft = openNft({ inside });
  let counter: ConnectionCounter | undefined;
  const forgetting = new Forgetting();
  return {
    carryOut(ask) {
      if (ask.kind === "read-rules") return readRules(nft, inside).catch(failed);
      if (ask.kind === "run-rules") return runRules(ask.script, nft, inside).catch(failed);
      if (ask.kind === "rules-version") {
        return inside(() => ({ kind: ask.kind, version: rulesVersion(), connected: connectedPrefixes() }));
      }
      if (ask.kind === "forget-flows") return inside(() => forgetting.goOn(ask));
      if (ask.kind !== "count-connections") return failed(`not a question for nftables: ${ask.kind}`);
      counter ??= inside(openConnectionCounter);
      return { kind: "connections", connected: connectedByTracking(ask.places, counter) };
    },
    cancel: () => nft.cancel(),
    close: () => {
      nft.cancel();
      counter?.close();
      forgetting.close();
    },
  };
}

type Forget = Ask & { readonly kind: "forget-flows" };

/** A part each time: what is asked again goes on where it stood. */
class Forgetting {
  #running: { readonly ask: Forget; readonly parts: ReturnType<typeof removeUdpFlows> } | undefined;

  goOn(ask: Forget): Answer {
    if (this.#running?.ask !== ask) this.close();
    const running = this.#running ?? { ask, parts: removeUdpFlows(ask.flows, ask.services, { sweeps: ask.sweeps }) };
    this.#running = undefined;
    const isDone = running.parts.next().done === true;
    if (!isDone) this.#running = running;
    return { kind: "forgot", isDone };
  }

  close(): void {
    this.#running?.parts.return();
    this.#running = undefined;
  }
}

const failed = (error: unknown): Answer => ({ kind: "failed", error: messageOf(error) });

/** A mark stands for any protocol. The kernel is asked once for each server and protocol. */
export function connectedByTracking(
  places: readonly Place[],
  counter: Pick<ConnectionCounter, "count">,
): readonly Connected[] {
  const wanted = places.flatMap(({ service, destination: server }, at): (TranslatedConnections & { at: number })[] =>
    service.kind === "fwmark"
      ? (["tcp", "udp", "sctp"] as const).map((protocol) => ({ at, protocol, server, asked: undefined }))
      : [{ at, protocol: service.protocol, server, asked: service }],
  );
  const active = places.map(() => 0);
  for (const [index, found] of counter.count(wanted).entries()) {
    const at = wanted[index]?.at ?? 0;
    active[at] = (active[at] ?? 0) + found;
  }
  return active.map((each) => ({ weight: undefined, active: each }));
}

async function readRules(nft: Nft, inside: Inside): Promise<Answer> {
  // Before it is read: what somebody changes meanwhile is seen next time.
  const version = inside(rulesVersion);
  const state = { 4: await readFamily(4, nft), 6: await readFamily(6, nft) };
  return { kind: "rules", version, state, connected: inside(connectedPrefixes) };
}

async function runRules(script: string, nft: Nft, inside: Inside): Promise<Answer> {
  await nft.run(script, "program the virtual servers");
  return { kind: "ran", version: inside(rulesVersion) };
}

async function readFamily(family: 4 | 6, nft: Nft): Promise<TableState | undefined> {
  const table = await nft.list(listTable(family), "read the table of virtual servers");
  if (table === undefined) return undefined;
  const elements: unknown[] = [];
  for (const words of listElements(family)) {
    elements.push(await nft.list(words, "read the elements of virtual servers"));
  }
  return readTable(family, table, elements);
}

/** Networks of more than one address: who is in one of them with a server is answered past this machine. */
function connectedPrefixes(): Prefix[] {
  const found = Object.values(networkInterfaces()).flatMap((addresses) =>
    (addresses ?? []).flatMap(({ cidr, internal, family }): Prefix[] => {
      const [text = "", bits = ""] = (cidr ?? "").split("/");
      const address = parseIp(text);
      const length = Number(bits);
      const isLinkLocal = family === "IPv6" && text.toLowerCase().startsWith("fe80:");
      const isOne = length === (family === "IPv6" ? 128 : 32);
      return address === undefined || internal || isLinkLocal || isOne ? [] : [{ address, length }];
    }),
  );
  return found.sort((a, b) => (a.address < b.address ? -1 : a.address > b.address ? 1 : a.length - b.length));
}
