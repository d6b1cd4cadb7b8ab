// What the page knows, and how a message of the stream changes it. Pure: the hook in use-fleet.ts feeds it.
import {
  compareEvents,
  type EventView,
  type GroupView,
  type HubView,
  type NodeView,
  type StreamMessages,
} from "../../src/view.ts";

export type Link = "connecting" | "open" | "lost";

export interface FleetState {
  /** The page's own connection to the hub. */
  readonly link: Link;
  readonly hub: HubView;
  readonly groups: readonly GroupView[];
  readonly nodes: readonly NodeView[];
  /** Newest first. */
  readonly events: readonly EventView[];
  /** Said aloud by screen readers: the last change of master. */
  readonly announcement: string;
}

export const initialState: FleetState = {
  link: "connecting",
  hub: { connected: true },
  groups: [],
  nodes: [],
  events: [],
  announcement: "",
};

export type FleetAction =
  | { readonly type: "link"; readonly link: Link }
  | {
      [Name in keyof StreamMessages]: { readonly type: Name; readonly data: StreamMessages[Name] };
    }[keyof StreamMessages];

/** More than anybody reads; older ones are in the nodes' logs. */
export const eventsMax = 500;

export function reduceFleet(state: FleetState, action: FleetAction): FleetState {
  switch (action.type) {
    case "link":
      return { ...state, link: action.link };
    case "fleet":
      return {
        ...state,
        link: "open",
        hub: action.data.hub,
        groups: action.data.groups,
        nodes: action.data.nodes,
        events: action.data.events.toReversed().slice(0, eventsMax),
      };
    case "group":
      return {
        ...state,
        groups: upsert(state.groups, action.data, (group) => group.id, compareGroups),
        announcement: announce(state.groups, action.data) ?? state.announcement,
      };
    case "group-gone":
      return { ...state, groups: state.groups.filter((group) => group.id !== action.data.id) };
    case "node":
      return { ...state, nodes: upsert(state.nodes, action.data, (node) => node.node, compareNodes) };
    case "event":
      return { ...state, events: insertEvent(state.events, action.data) };
    case "hub":
      return { ...state, hub: action.data };
  }
}

/** Newest first. What a node tells late, after an outage, takes its place in the story. */
function insertEvent(events: readonly EventView[], event: EventView): readonly EventView[] {
  const older = events.findIndex((each) => compareEvents(each, event) < 0);
  return events.toSpliced(older < 0 ? events.length : older, 0, event).slice(0, eventsMax);
}

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
const compareGroups = (a: GroupView, b: GroupView): number => a.vrid - b.vrid || compareText(a.instance, b.instance);
const compareNodes = (a: NodeView, b: NodeView): number => compareText(a.node, b.node);

function upsert<T>(
  items: readonly T[],
  item: T,
  key: (item: T) => string,
  compare: (a: T, b: T) => number,
): readonly T[] {
  return [...items.filter((each) => key(each) !== key(item)), item].sort(compare);
}

function announce(groups: readonly GroupView[], after: GroupView): string | undefined {
  const before = groups.find((group) => group.id === after.id);
  if (before?.verdict === after.verdict && before.master === after.master) return undefined;
  if (after.verdict === "moving") return undefined;
  return `${after.instance}: ${verdictText(after)}`;
}

/** The state of a group in words. */
export function verdictText(group: GroupView): string {
  switch (group.verdict) {
    case "one-master":
      return group.members.some((member) => member.node === group.master)
        ? `${group.master} is master`
        : `held by ${group.master}, outside this group`;
    case "moving":
      return "moving";
    case "two-masters":
      return "more than one master";
    case "no-master":
      return "no master";
    case "unreachable":
      return "no router heard";
  }
}

/** Every word of the filter has to be somewhere in the event. */
export function matchesFilter(event: EventView, filter: string): boolean {
  const text = `${event.sentence} ${event.node} ${event.type} ${event.kind} ${event.aggregate} ${event.service} ${event.correlationId}`;
  const haystack = text.toLowerCase();
  return filter
    .toLowerCase()
    .split(/\s+/)
    .every((word) => haystack.includes(word));
}
