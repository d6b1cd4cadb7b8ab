// Every name that telemetry shows, in one place: a typo in an attribute is an empty dashboard. Lower case, dots, units
// in the unit field; no `vrrp` or `ipvs` names exist in the OpenTelemetry semantic conventions, so these are our own.
// Messaging, network and CloudEvents names follow the conventions (development status, so isolated here).

export const spanName = {
  scriptRun: "script.run",
  trackerChange: "tracker.change",
  checkRun: "check.run",
  vrrpTransition: "vrrp.transition",
  addressAssign: "address.assign",
  addressRemove: "address.remove",
  garpSend: "garp.send",
  notificationDeliver: "notification.deliver",
  configApply: "config.apply",
  ipvsApply: "ipvs.apply",
  nftablesApply: "nftables.apply",
} as const;

export const attribute = {
  instance: "vrrp.instance.name",
  vrid: "vrrp.vrid",
  state: "vrrp.state",
  stateFrom: "vrrp.state.from",
  stateTo: "vrrp.state.to",
  cause: "vrrp.cause",
  term: "vrrp.term",
  priority: "vrrp.priority",
  priorityKind: "vrrp.priority.kind",
  phase: "vrrp.phase",
  /** On a span link to an advertisement, in both routers' traces. */
  advertSender: "vrrp.advert.sender",
  advertTime: "vrrp.advert.time",
  advertIpId: "vrrp.advert.ip_id",
  interface: "network.interface.name",
  address: "vrrp.address",
  addresses: "vrrp.addresses",
  garpCount: "garp.count",
  script: "script.name",
  scriptExit: "script.exit",
  scriptResult: "script.result",
  tracker: "tracker.name",
  check: "check.name",
  channel: "notification.channel",
  target: "notification.target",
  attempts: "notification.attempts",
  replayed: "notification.replayed",
  generation: "config.generation",
  configFile: "config.file",
  virtualServer: "virtual_server.name",
  realServer: "real_server.address",
  /** ipvs or nftables. */
  engine: "balancer.engine",
  node: "baton.node",
  service: "baton.service",
  severity: "severity",
  direction: "direction",
  kind: "kind",
  outcome: "outcome",
  reason: "reason",
  errorType: "error.type",
  eventId: "cloudevents.event_id",
  eventType: "cloudevents.event_type",
  eventSubject: "cloudevents.event_subject",
  messagingSystem: "messaging.system",
  messagingDestination: "messaging.destination.name",
  messagingOperation: "messaging.operation.name",
} as const;

/** Resource attributes of every process. */
export const resourceAttribute = {
  serviceName: "service.name",
  serviceNamespace: "service.namespace",
  serviceVersion: "service.version",
  serviceInstanceId: "service.instance.id",
  hostName: "host.name",
  processPid: "process.pid",
} as const;

type Kind = "counter" | "gauge" | "histogram";
export interface MetricName {
  readonly name: string;
  /** UCUM, as OpenTelemetry writes it. */
  readonly unit: string;
  readonly kind: Kind;
  readonly help: string;
}

const metricOf = (name: string, kind: Kind, unit: string, help: string): MetricName => ({ name, kind, unit, help });

export const metric = {
  // A state set (0 or 1 per state) has neither a numeric code nor a label that changes.
  instanceState: metricOf("vrrp.instance.state", "gauge", "1", "1 for the state the instance is in, 0 for the others"),
  instanceDegraded: metricOf("vrrp.instance.degraded", "gauge", "1", "1 while the master serves only part of it"),
  instancePriority: metricOf("vrrp.instance.priority", "gauge", "1", "Priority of the instance: base and effective"),
  transitions: metricOf("vrrp.transitions", "counter", "{transition}", "State changes of the instance"),
  adverts: metricOf("vrrp.adverts", "counter", "{advert}", "Advertisements sent and received"),
  advertsDiscarded: metricOf("vrrp.adverts.discarded", "counter", "{advert}", "Advertisements not accepted, by reason"),
  advertNotices: metricOf(
    "vrrp.adverts.notices",
    "counter",
    "{advert}",
    "Accepted advertisements that differ from ours",
  ),
  electionCounts: metricOf("vrrp.election.counts", "counter", "{event}", "What the election met, by what it was"),
  priorityZero: metricOf("vrrp.adverts.priority_zero", "counter", "{advert}", "Advertisements with priority 0"),
  advertGap: metricOf("vrrp.advert.gap", "histogram", "s", "Time between accepted advertisements"),
  timerLateness: metricOf("vrrp.timer.lateness", "histogram", "s", "How late the node's own VRRP timers were acted on"),
  sendErrors: metricOf("vrrp.send.errors", "counter", "{advert}", "Advertisements the kernel refused to send"),
  failoverDuration: metricOf("vrrp.failover.duration", "histogram", "s", "Phases of a takeover"),
  claims: metricOf("vrrp.claims", "gauge", "{claim}", "Nodes that claim the virtual router; not 1 is an alarm"),
  vipConfirmed: metricOf("vrrp.vip.confirmed", "gauge", "1", "1 when the address was read back from the kernel"),
  leaseConfirms: metricOf("vrrp.lease.confirms", "counter", "{frame}", "Lease frames that dataplane confirmed"),
  leaseExpired: metricOf("vrrp.lease.expired", "counter", "{lease}", "Leases that ended without a release"),
  claimsRefused: metricOf("vrrp.claims.refused", "counter", "{claim}", "Claims or events refused as unknown or stale"),
  driftWars: metricOf("address.drift.wars", "counter", "{war}", "Addresses that were repaired too often to go on"),
  foreignVrids: metricOf("vrrp.foreign", "counter", "{advert}", "Advertisements for virtual routers of others"),
  drift: metricOf("address.drift", "counter", "{address}", "Addresses that somebody else removed or changed"),
  addressErrors: metricOf("address.errors", "counter", "{address}", "Addresses the kernel refused"),
  garpSent: metricOf("garp.sent", "counter", "{packet}", "Gratuitous ARP and unsolicited NA packets sent"),
  garpErrors: metricOf("garp.errors", "counter", "{packet}", "Announcements the kernel refused to send"),
  ipvsDrift: metricOf("ipvs.drift", "gauge", "{item}", "IPVS entries that differ from what is wanted"),
  ipvsApplyDuration: metricOf(
    "ipvs.apply.duration",
    "histogram",
    "s",
    "From the news until the kernel's balancer has it",
  ),
  balancerServices: metricOf("balancer.services", "gauge", "{service}", "Virtual services of ours in the kernel"),
  balancerDestinations: metricOf("balancer.destinations", "gauge", "{server}", "Servers of ours in the kernel"),
  balancerRepairs: metricOf("balancer.repairs", "counter", "{change}", "Changes by others that were undone"),
  // With the labels of node_exporter's collector of the same figures.
  backendWeight: metricOf("ipvs.backend.weight", "gauge", "1", "Weight of the server"),
  backendActive: metricOf("ipvs.backend.connections.active", "gauge", "{connection}", "Its active connections"),
  backendInactive: metricOf("ipvs.backend.connections.inactive", "gauge", "{connection}", "Its other connections"),
  backendConnections: metricOf("ipvs.backend.connections", "counter", "{connection}", "Connections that it was given"),
  backendInPackets: metricOf("ipvs.backend.incoming.packets", "counter", "{packet}", "Packets that went to it"),
  backendOutPackets: metricOf("ipvs.backend.outgoing.packets", "counter", "{packet}", "Packets that came from it"),
  backendInBytes: metricOf("ipvs.backend.incoming", "counter", "By", "Bytes that went to it"),
  backendOutBytes: metricOf("ipvs.backend.outgoing", "counter", "By", "Bytes that came from it"),
  virtualServers: metricOf("virtual_servers", "gauge", "{virtual server}", "Virtual servers, by state"),
  realServers: metricOf("real_servers", "gauge", "{server}", "Real servers of all virtual servers, by state"),
  virtualServerQuorum: metricOf("virtual_server.quorum", "gauge", "1", "1 while enough of its servers live"),
  virtualServerLive: metricOf("virtual_server.live", "gauge", "{server}", "Its live servers"),
  realServerUp: metricOf("real_server.up", "gauge", "1", "1 while none of its checks has failed"),
  checkDuration: metricOf("healthcheck.duration", "histogram", "s", "Duration of a check"),
  checkResults: metricOf("healthcheck.results", "counter", "{result}", "Results of checks"),
  checkLateness: metricOf("healthcheck.lateness", "histogram", "s", "From when a check was due until it began"),
  checkAge: metricOf("healthcheck.age", "gauge", "s", "How long ago the last probe of the check ended"),
  checkAgeMax: metricOf("healthcheck.age.max", "gauge", "s", "The oldest last probe of the checks of a type"),
  checks: metricOf("healthcheck.checks", "gauge", "{check}", "Checks of real servers, by type and status"),
  probes: metricOf("healthcheck.probes", "gauge", "{probe}", "Probes that run, and that wait for their turn"),
  checkGeneration: metricOf(
    "healthcheck.config.generation",
    "gauge",
    "1",
    "Generation of the configuration that is checked by",
  ),
  checkSkipped: metricOf("healthcheck.skipped", "counter", "{run}", "Runs skipped because the last one still ran"),
  checkTimeouts: metricOf("healthcheck.timeouts", "counter", "{run}", "Runs killed at their timeout"),
  trackerAge: metricOf("tracker.age", "gauge", "s", "How long ago the status of the tracker was last confirmed"),
  trackerStale: metricOf("tracker.stale", "gauge", "1", "1 while the election has had no confirmation for too long"),
  trackerStatus: metricOf("tracker.status", "gauge", "1", "1 when the tracker is up"),
  trackerValue: metricOf("tracker.value", "gauge", "1", "what a tracked file says; how many of a tracked process run"),
  bfdPackets: metricOf("bfd.packets", "counter", "{packet}", "BFD control packets sent and received"),
  bfdDiscards: metricOf("bfd.discards", "counter", "{packet}", "BFD control packets not accepted, by reason"),
  notificationDuration: metricOf("notification.delivery.duration", "histogram", "s", "Event to delivery"),
  notificationAttempts: metricOf("notification.attempts", "counter", "{attempt}", "Attempts to deliver"),
  notificationQueue: metricOf("notification.queue", "gauge", "{notification}", "Notifications waiting"),
  configGeneration: metricOf("config.generation", "gauge", "1", "Generation of the applied configuration"),
  configReloads: metricOf("config.reloads", "counter", "{reload}", "Reloads, by outcome"),
  configDiagnostics: metricOf(
    "config.diagnostics",
    "gauge",
    "{diagnostic}",
    "What was said of the configuration that was read last, by severity",
  ),
  serviceRestarts: metricOf("service.restarts", "counter", "{restart}", "Restarts by the supervisor"),
  outboxBacklog: metricOf("outbox.backlog", "gauge", "{event}", "Events that the stream does not hold yet"),
  outboxAge: metricOf("outbox.age", "gauge", "s", "Age of the oldest event that the stream does not hold yet"),
  uplinkForwarded: metricOf("uplink.forwarded", "counter", "{event}", "Events that the hub has taken"),
  uplinkConnected: metricOf("uplink.connected", "gauge", "1", "1 while the uplink is connected to the hub"),
  eventsAppended: metricOf("events.appended", "counter", "{event}", "Events appended by this process"),
  eventsLost: metricOf("events.lost", "counter", "{event}", "Events that could not be kept"),
  messagesMalformed: metricOf("messages.malformed", "counter", "{message}", "NATS messages that are no Baton event"),
  spansDropped: metricOf("telemetry.spans.dropped", "counter", "{span}", "Spans dropped: queue full or export failed"),
  logsDropped: metricOf("telemetry.logs.dropped", "counter", "{line}", "Log lines dropped: nobody reads stderr"),
} as const satisfies Record<string, MetricName>;

/** The Prometheus form: dots to underscores, unit suffix, `_total` on counters. */
export function prometheusName(of: MetricName): string {
  const unit = of.unit === "s" ? "_seconds" : of.unit === "By" ? "_bytes" : "";
  const base = of.name.replaceAll(".", "_");
  return `${base}${base.endsWith(unit) ? "" : unit}${of.kind === "counter" ? "_total" : ""}`;
}
