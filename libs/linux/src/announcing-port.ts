// What the ports of ARP and of neighbour discovery have in common: one sender for as long as the port is open, and a receiver
// only while somebody listens.
import type { AnnounceResult, Closable } from "./api.ts";
import { type FrameSender, openFrameSender } from "./frame-sender.ts";

export interface AnnouncingPort<Heard> extends Closable {
  announce(...announcement: Parameters<FrameSender["announce"]>): AnnounceResult;
  /** Replaces an earlier handler; undefined stops. A closed port listens no more. */
  listen(handler: ((heard: Heard) => void) | undefined): void;
}

/** Throws LinuxError: EPERM without CAP_NET_RAW. An interface that is gone shows when something is sent. */
export function openAnnouncingPort<Heard>(
  ifindex: number,
  protocol: number,
  openReceiver: (ifindex: number, handler: (heard: Heard) => void) => Closable,
): AnnouncingPort<Heard> {
  const sender = openFrameSender(ifindex, protocol);
  let receiver: Closable | undefined;
  let closed = false;
  return {
    announce: sender.announce,
    listen: (handler) => {
      receiver?.close();
      receiver = handler === undefined || closed ? undefined : openReceiver(ifindex, handler);
    },
    close: () => {
      if (closed) return;
      closed = true;
      receiver?.close();
      sender.close();
    },
  };
}
