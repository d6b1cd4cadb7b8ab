// The only package that loads native code. Importing it loads koffi; raw-socket is loaded by the first socket for adverts,
// because it cannot be loaded in a worker once the main thread has it.

export { openAddressTable } from "./address-table.ts";
export { openAdvertSocket } from "./advert-socket.ts";
export type {
  AddressChange,
  AddressEvent,
  AddressFlags,
  AddressInfo,
  AddressSpec,
  AddressTable,
  AddressTableOptions,
  AdvertDatagram,
  AdvertPacket,
  AdvertSocket,
  AdvertSocketOptions,
  AdvertSocketPlace,
  AnnounceResult,
  ArpPacket,
  ArpPort,
  ChangeResult,
  Closable,
  DeadlineTimer,
  ExpectedAdvert,
  LinkChange,
  LinkDetails,
  LinkInfo,
  LinkMonitor,
  LinkMonitorOptions,
  LinkSpec,
  LinkTable,
  NdPort,
  NeighbourAdvertisement,
  NeighbourSilence,
  NeighbourSilenceOptions,
  PacketFilter,
  PacketFilterOptions,
  StrangerSocket,
  StrangerSocketOptions,
  StrangersRead,
  UserIds,
} from "./api.ts";
export { openArpPort } from "./arp-port.ts";
export { bootNow, wallMicros } from "./clock.ts";
export {
  type ConnectedSocket,
  type ConnectedSocketOptions,
  openConnectedSocket,
  openTcpDescriptor,
  type SocketOrigin,
} from "./connected-socket.ts";
export { type ConnectionCounter, openConnectionCounter, type TranslatedConnections } from "./connection-count.ts";
export { openDeadlineTimer } from "./deadline-timer.ts";
export { LinuxError, VrrpSocketError } from "./error.ts";
export { killExact, processStartTime, watchExit } from "./exact-process.ts";
export { type Fifo, type FifoOptions, isFifoRead, openFifo, removeFifo } from "./fifo.ts";
export { type FileWatch, type FileWatchOptions, openFileWatch } from "./file-watch.ts";
export { removeUdpFlows, type UdpFlows, type UdpService } from "./flow-removal.ts";
export type { DumpedServiceAlone, IpvsInfo } from "./ipvs-reply.ts";
export { type IpvsTable, openIpvsTable } from "./ipvs-table.ts";
export { errnoName } from "./libc.ts";
export { limits } from "./limits.ts";
export { openLinkMonitor } from "./link-monitor.ts";
export { openLinkTable } from "./link-table.ts";
export { lockFile } from "./lock-file.ts";
export { openNdPort } from "./nd-port.ts";
export { openNeighbourSilence } from "./neighbour-silence.ts";
export { enterNamespace, insideNamespace, namespacePath } from "./network-namespace.ts";
export { listNft, type Nft, openNft, runNft } from "./nft.ts";
export { openPacketFilter } from "./packet-filter.ts";
export { openPipe, type PipeEnds } from "./pipe.ts";
export {
  listProcesses,
  openProcessMonitor,
  type ProcessEvent,
  type ProcessFacts,
  type ProcessMonitorOptions,
  readProcess,
} from "./process-monitor.ts";
export { onRealTimeSignal } from "./real-time-signal.ts";
export { leadsNowhere } from "./route-message.ts";
export type {
  Encapsulation,
  Prefix,
  Range,
  RouteInfo,
  RouteMetric,
  RouteSpec,
  RouteWay,
  RouteWaySpec,
  RoutingChange,
  RoutingEvent,
  RoutingTable,
  RoutingTableOptions,
  RoutingTables,
  RuleSpec,
} from "./routing.ts";
export { openRoutingTable } from "./routing-table.ts";
export { addressTag, echoOf } from "./rtnetlink.ts";
export { rulesVersion } from "./rules-version.ts";
export {
  allowedProcessors,
  processName,
  setAffinity,
  setNiceness,
  setOomScoreAdjust,
  setOrdinary,
  setProcessName,
  setRealtime,
} from "./scheduling.ts";
export { sdNotify } from "./sd-notify.ts";
export { openStrangerSocket } from "./stranger-socket.ts";
export { openUdpSocket, type UdpDatagram, type UdpSocket, type UdpSocketOptions } from "./udp-socket.ts";
export { resolveUser } from "./users.ts";
