// The only package that loads native code. Importing it loads koffi; raw-socket is loaded by the first VRRP socket,
// because it cannot be loaded in a worker once the main thread has it.

export { openAddressTable } from "./address-table.ts";
export { openAdvertSocket } from "./advert-socket.ts";
export type {
  AddressChange,
  AddressEvent,
  AddressFlags,
  AddressInfo,
  AddressResult,
  AddressSpec,
  AddressTable,
  AddressTableOptions,
  AdvertDatagram,
  AdvertPacket,
  AdvertSocket,
  AdvertSocketOptions,
  ArpPacket,
  ArpPort,
  ArpSendResult,
  ArpSilence,
  ArpSilenceOptions,
  Closable,
  DeadlineTimer,
  LinkInfo,
  LinkMonitor,
  LinkMonitorOptions,
  UserIds,
  VrrpDatagram,
  VrrpSocket,
  VrrpSocketOptions,
} from "./api.ts";
export { openArpPort } from "./arp-port.ts";
export { openArpSilence } from "./arp-silence.ts";
export { bootNow, wallMicros } from "./clock.ts";
export { openDeadlineTimer } from "./deadline-timer.ts";
export { LinuxError, VrrpSocketError } from "./error.ts";
export { killExact, processStartTime, watchExit } from "./exact-process.ts";
export { errnoName } from "./libc.ts";
export { limits } from "./limits.ts";
export { openLinkMonitor } from "./link-monitor.ts";
export { lockFile } from "./lock-file.ts";
export { openPipe, type PipeEnds } from "./pipe.ts";
export { setOomScoreAdjust, setRealtime } from "./scheduling.ts";
export { sdNotify } from "./sd-notify.ts";
export { resolveUser } from "./users.ts";
export { openVrrpSocket } from "./vrrp-socket.ts";
