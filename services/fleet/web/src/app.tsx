// The one page: who is master of what, which routers are heard, what happened.
import { EventList } from "./event-list.tsx";
import type { FleetState } from "./fleet-store.ts";
import { GroupCard } from "./group-card.tsx";
import { NodeList } from "./node-list.tsx";
import { useFleet, useNow } from "./use-fleet.ts";

export function App() {
  const state = useFleet();
  const now = useNow();
  return (
    <>
      <Header state={state} />
      <main>
        <section className="groups" aria-labelledby="groups-title">
          <h2 id="groups-title">Virtual routers</h2>
          {state.groups.length === 0 && <Empty state={state} />}
          {state.groups.map((group) => (
            <GroupCard key={group.id} group={group} now={now} />
          ))}
        </section>
        <NodeList nodes={state.nodes} now={now} />
        <EventList events={state.events} />
      </main>
      <p className="visually-hidden" aria-live="polite">
        {state.announcement}
      </p>
    </>
  );
}

function Header({ state }: { state: FleetState }) {
  const alarms = state.groups.filter(
    (group) => group.verdict === "two-masters" || group.verdict === "no-master",
  ).length;
  const connected = state.nodes.filter((node) => node.status === "connected").length;
  return (
    <header>
      <h1>
        <img src="./icon.svg" alt="" width="28" height="28" /> Baton fleet
      </h1>
      <ul className="summary">
        <li>
          <strong>{state.groups.length}</strong> virtual {state.groups.length === 1 ? "router" : "routers"}
        </li>
        <li className={alarms > 0 ? "bad" : undefined}>
          <strong>{alarms}</strong> {alarms === 1 ? "conflict" : "conflicts"}
        </li>
        <li className={connected < state.nodes.length ? "warn" : undefined}>
          <strong>
            {connected}/{state.nodes.length}
          </strong>{" "}
          nodes connected
        </li>
        <li>
          <LinkText state={state} />
        </li>
      </ul>
    </header>
  );
}

function LinkText({ state }: { state: FleetState }) {
  if (state.link === "connecting") return <span className="dot neutral">connecting</span>;
  if (state.link === "lost") return <span className="dot bad">hub away: reconnecting</span>;
  if (!state.hub.connected) return <span className="dot bad">the hub has lost its bus</span>;
  return <span className="dot good">live</span>;
}

function Empty({ state }: { state: FleetState }) {
  if (state.link === "connecting") return <p className="empty">Connecting to the hub …</p>;
  return (
    <p className="empty">
      No node has reported yet. Point one at this hub with <code>hub:</code> in its <code>baton.yaml</code>.
    </p>
  );
}
