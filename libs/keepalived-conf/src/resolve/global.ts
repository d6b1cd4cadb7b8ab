// `global_defs` and the keywords outside of all blocks → GlobalConfig.
import { micros, secondsToMicros } from "@baton/domain";
import type { GlobalConfig, NodeConfig, VrrpGlobals } from "../config.ts";
import { mailAddress } from "../keywords/global-arguments.ts";
import { globalDefs, rootKeywords } from "../keywords/global-defs.ts";
import { type Block, isSet, lists, setting, settings, value } from "../syntax/tree.ts";
import type { CommandContext } from "./command.ts";
import { adjust, advise, type ResolveContext, reject } from "./context.ts";
import { resolveDbus, resolveFiles, resolveReload, resolveSnmp } from "./global/management.ts";
import { resolveProcesses } from "./global/processes.ts";
import { resolveFifos, resolveTimedScript } from "./global/programs.ts";
import { resolveFirewall, resolveLvs } from "./global/virtual-servers.ts";

const { keywords } = globalDefs;

export function resolveGlobal(root: Block, globals: Block, context: CommandContext): GlobalConfig {
  const { startupScript, startupScriptTimeout, shutdownScript, shutdownScriptTimeout } = keywords;
  return {
    ...resolveMail(globals, context),
    enableScriptSecurity: context.defaults.enableScriptSecurity,
    scriptUser: context.defaults.scriptUser,
    useSymlinkPaths: value(globals, keywords.useSymlinkPaths) ?? false,
    startupScript: resolveTimedScript(globals, startupScript, startupScriptTimeout, context),
    shutdownScript: resolveTimedScript(globals, shutdownScript, shutdownScriptTimeout, context),
    fifos: resolveFifos(root, globals, context),
    vrrp: resolveVrrp(root, globals, context),
    lvs: resolveLvs(root, globals, context),
    firewall: resolveFirewall(globals),
    snmp: resolveSnmp(globals),
    dbus: resolveDbus(globals),
    processes: resolveProcesses(globals, context),
    node: resolveNode(root, context),
    reload: resolveReload(globals),
    files: resolveFiles(globals, context),
  };
}

type Mail = Pick<
  GlobalConfig,
  | "routerId"
  | "notificationEmail"
  | "notificationEmailFrom"
  | "smtpServer"
  | "smtpHeloName"
  | "smtpConnectTimeout"
  | "noEmailFaults"
  | "noCheckerEmails"
>;

function resolveMail(globals: Block, context: CommandContext): Mail {
  const recipients = lists(globals, keywords.notificationEmail);
  for (const list of recipients) {
    if (list.entries.length === 0)
      adjust(context, list.place, "empty-block", "notification_email names nobody: no mail is sent");
  }
  const notificationEmail = recipients.flatMap((list) =>
    list.entries.flatMap((entry) => entry.words.map((word) => mailAddress(word.text))),
  );
  const smtpServer = setting(globals, keywords.smtpServer);
  if (notificationEmail.length > 0 && smtpServer === undefined) {
    const place = recipients[0]?.place ?? globals.place;
    advise(context, place, "no-smtp-server", "no mail is sent without smtp_server", "write smtp_server HOST");
  }
  return {
    routerId: value(globals, keywords.routerId) ?? context.machine.hostName,
    notificationEmail,
    notificationEmailFrom: value(globals, keywords.notificationEmailFrom),
    smtpServer: smtpServer?.value,
    smtpHeloName: value(globals, keywords.smtpHeloName),
    smtpConnectTimeout: value(globals, keywords.smtpConnectTimeout) ?? secondsToMicros(30),
    noEmailFaults: isSet(globals, keywords.noEmailFaults),
    noCheckerEmails: value(globals, keywords.noCheckerEmails) ?? false,
  };
}

const none = secondsToMicros(0);

function resolveVrrp(root: Block, globals: Block, context: ResolveContext): VrrpGlobals {
  const dynamic = value(globals, keywords.dynamicInterfaces);
  // Each line counts when it is more than the ones before.
  const longest = (keyword: typeof keywords.startupDelay) =>
    settings(globals, keyword).reduce((most, { value: delay }) => micros(Math.max(delay, most)), none);
  const vmacPrefix = value(globals, keywords.vmacPrefix) ?? "vrrp";
  return {
    dynamicInterfaces: dynamic === undefined ? "no" : dynamic.allowChanges ? "changing" : "yes",
    startupDelay: longest(keywords.startupDelay),
    delayAfterBoot: longest(keywords.delayAfterBoot),
    logUnknownVrids: isSet(globals, keywords.logUnknownVrids),
    garpInterval: value(globals, keywords.garpInterval) ?? none,
    gnaInterval: value(globals, keywords.gnaInterval) ?? none,
    disableLocalIgmp: isSet(globals, keywords.disableLocalIgmp),
    vmacPrefix,
    vmacAddressPrefix: value(globals, keywords.vmacAddressPrefix) ?? vmacPrefix,
    pollLinks: isSet(root, rootKeywords.linkbeatUsePolling),
    receiveBuffers: resolveReceiveBuffers(globals, context),
  };
}

/** A size wins over a policy, and the interface's MTU over the size of an advert. */
function resolveReceiveBuffers(globals: Block, context: ResolveContext): VrrpGlobals["receiveBuffers"] {
  let octets: number | undefined;
  let policy: "mtu" | "advert" | undefined;
  for (const { value: line, place } of settings(globals, keywords.receiveBufferPolicy)) {
    octets = line.size ?? octets;
    const [mtu, advert] = [line.mtu || policy === "mtu", line.advert || policy === "advert"];
    const given = [octets === undefined ? [] : `${octets}`, mtu ? "MTU" : [], advert ? "ADVERT" : []].flat();
    policy = octets !== undefined ? undefined : mtu ? "mtu" : advert ? "advert" : undefined;
    if (given.length < 2) continue;
    const used = `vrrp_rx_bufs_policy ${given[0]}`;
    reject(context, place, "receive-buffers", `only one of ${given.join(", ")} can count`, { used });
  }
  const multiplier = value(globals, keywords.receiveBufferMultiplier) ?? 3;
  if (octets !== undefined) return { policy: "size", octets, multiplier };
  return policy && { policy, multiplier };
}

function resolveNode(root: Block, context: ResolveContext): NodeConfig {
  const instance = value(root, rootKeywords.instance);
  const netNamespace = resolveNamespace(root, context);
  const wait = value(root, rootKeywords.childWaitTime);
  return {
    instance,
    netNamespace,
    netNamespaceIpvs: value(root, rootKeywords.netNamespaceIpvs),
    namespaceWithIpsets: isSet(root, rootKeywords.namespaceWithIpsets),
    usePidDirectory: isSet(root, rootKeywords.usePidDirectory) || instance !== undefined || netNamespace !== undefined,
    childWaitTimeout: secondsToMicros(wait ?? 5),
  };
}

function resolveNamespace(root: Block, context: ResolveContext): string | undefined {
  const { netNamespace, namespaceTrouble } = context.machine;
  if (netNamespace !== undefined) return netNamespace;
  const written = setting(root, rootKeywords.netNamespace);
  if (written === undefined) return undefined;
  const trouble = namespaceTrouble?.(written.value);
  if (trouble !== undefined) {
    const unknown = "its interfaces are not looked at, and a node does not start without it";
    const message = `network namespace ${written.value}: ${trouble}: ${unknown}`;
    advise(context, written.place, "net-namespace-closed", message, `make it: ip netns add ${written.value}`);
  }
  return written.value;
}
