// The links of the instances, as the kernel tells and as they count: which one an instance speaks from, whether it is up
// long enough, and whether dataplane has made it yet.
import { type Instant, type IpAddress, micros } from "@baton/domain";
import { type Config, type InstanceLinks, virtualLinks } from "@baton/keepalived-conf";
import { openLinkMonitor } from "@baton/linux";
import type { ElectionConfig } from "@baton/vrrp";
import { type LinkDelays, LinkStates, linkDelays, mendingPatience, noDelays } from "./link-states.ts";
import { type InterfaceView, interfaceTrackers, type LinkedInstance, viewInstance, viewInterface } from "./links.ts";
import type { TrackerInput } from "./trackers.ts";

/** How long an instance waits at its start for a link that dataplane makes: longer, and it starts in FAULT. */
const newLinkPatience = micros(1_000_000);

export interface WatchedLinksOptions {
  now(): Instant;
  /** Something may have changed: view anew. */
  onChange(): void;
  onGap(): void;
}

export interface WatchedLinks {
  /** What is seen from now on; instances that are on their way out keep the links that they had. */
  configure(config: Pick<Config, "instances" | "global" | "interfaceDelays">): void;
  /** What an instance of the configuration stands on. */
  linksOf(instance: string): InstanceLinks | undefined;
  /** As things are now: each interface is looked at once, however many instances it has. */
  views(virtual: ReadonlySet<IpAddress>): (instance: LinkedInstance, links: InstanceLinks | undefined) => InterfaceView;
  trackers(config: ElectionConfig): TrackerInput[];
  /** Its own link is not there, although the interface below is: dataplane is about to make it. Not for ever. */
  areAwaited(instance: LinkedInstance, links: InstanceLinks | undefined): boolean;
  /** Takes in what waits (SAFETY S2). */
  drain(): void;
  close(): void;
}

export function openWatchedLinks(options: WatchedLinksOptions): WatchedLinks {
  const monitor = openLinkMonitor({ onChange: options.onChange, onGap: options.onGap });
  const states = new LinkStates();
  let delays: ReadonlyMap<string, LinkDelays> = new Map();
  let links: ReadonlyMap<string, InstanceLinks> = new Map();
  let below: ReadonlyMap<string, string> = new Map();
  let timer: NodeJS.Timeout | undefined;
  /** Links that instances wait for, and since when. */
  const awaited = new Map<string, Instant>();
  const waiting: NodeJS.Timeout[] = [];

  const isThere = (name: string): boolean => monitor.links().some((link) => link.name === name);
  /** A link of ours has the delays of the one below it, and is mended when it is gone or down although that one is up. */
  const delaysOf = (name: string, up: boolean): LinkDelays => {
    const parent = below.get(name);
    const own = delays.get(parent ?? name) ?? noDelays;
    const isMended = !up && monitor.links().some((link) => link.name === parent && link.up);
    return isMended ? { ...own, down: micros(Math.max(own.down, mendingPatience)) } : own;
  };
  const isUp = (name: string, up: boolean): boolean => {
    const counts = states.see(name, up, delaysOf(name, up), options.now());
    wait();
    return counts;
  };
  const wait = (): void => {
    clearTimeout(timer);
    const deadline = states.deadline();
    if (deadline === undefined) return;
    timer = setTimeout(options.onChange, Math.max(1, Math.ceil((deadline - options.now()) / 1_000)));
  };
  return {
    configure: (config) => {
      delays = linkDelays(config);
      links = virtualLinks(config);
      const own = [...links.values()].flatMap((each) => each.links);
      below = new Map([...below, ...own.map(({ name, parent }) => [name, parent] as const)]);
    },
    linksOf: (instance) => links.get(instance),
    views: (virtual) => {
      const seen = new Map<string, InterfaceView>();
      const look = (name: string, family: 4 | 6): InterfaceView => {
        const key = `${family} ${name}`;
        const view = seen.get(key) ?? viewInterface(monitor, name, family, virtual);
        seen.set(key, view);
        return view;
      };
      return (instance, on) => viewInstance(monitor, instance, on, look, isUp);
    },
    trackers: (config) => interfaceTrackers(monitor, config, isUp),
    areAwaited: (instance, on) => {
      const name = on?.own?.name;
      if (name === undefined || !isThere(instance.interface) || isThere(name)) return false;
      const since = awaited.get(name);
      if (since !== undefined) return since + newLinkPatience > options.now();
      awaited.set(name, options.now());
      waiting.push(setTimeout(options.onChange, newLinkPatience / 1_000 + 1));
      return true;
    },
    drain: () => monitor.drain(),
    close: () => {
      for (const each of [timer, ...waiting]) clearTimeout(each);
      monitor.close();
    },
  };
}
