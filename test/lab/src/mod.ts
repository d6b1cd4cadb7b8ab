// Routers, a client and a hub in network namespaces: what the tests of the whole system and the demonstration run on.
export type { BatonNode, BatonOptions } from "./baton-node.ts";
export type { Capture } from "./capture.ts";
export type { Outcome } from "./command.ts";
export { type Crowd, crowdAddress, crowdConfig } from "./crowd-scene.ts";
export type { Flood, FloodOptions } from "./flood.ts";
export { type FrrNode, type FrrVirtualRouter, startFrr } from "./frr-node.ts";
export type { KeepalivedNode } from "./keepalived-node.ts";
export { type Client, createLab, type Hub, type Lab, type LabOptions, type Router } from "./lab.ts";
export type { Exit, LabProcess } from "./lab-process.ts";
export type { Loss, LossCount, LossShare } from "./loss.ts";
export { lossConfig, lossInstance, lossShares, vridsOf } from "./loss-scene.ts";
export type { Machine } from "./machine.ts";
export type { MailServer, ReceivedMail } from "./mail.ts";
export type { Outage, Pause, ProbeReport, Reign } from "./probe-ledger.ts";
export type { LiveCount, Probe, ProbeOptions } from "./prober.ts";
export { cleanStaleLabs } from "./stale.ts";
export { cableInterface, hubAddress, virtualAddress } from "./topology.ts";
export { waitFor } from "./wait.ts";
