// What happened, newest first. A story is everything with one cause: one failover, on all routers of it.
import { useDeferredValue, useState } from "react";
import type { EventView } from "../../src/view.ts";
import { matchesFilter } from "./fleet-store.ts";
import { clockText } from "./time-text.ts";

export function EventList({ events }: { events: readonly EventView[] }) {
  const [filter, setFilter] = useState("");
  const applied = useDeferredValue(filter);
  const shown = events.filter((event) => matchesFilter(event, applied));
  return (
    <section className="events" aria-labelledby="events-title">
      <div className="events-head">
        <h2 id="events-title">Events</h2>
        <label>
          <span className="visually-hidden">Filter events</span>
          <input
            type="search"
            placeholder="Filter: node, type, word …"
            value={filter}
            onChange={(change) => setFilter(change.target.value)}
          />
        </label>
        <p className="dim" role="status">
          {applied === "" ? `${events.length}` : `${shown.length} of ${events.length}`}
        </p>
      </div>
      <ol className="card">
        {shown.map((event) => (
          <EventRow key={event.id} event={event} onStory={setFilter} />
        ))}
        {shown.length === 0 && (
          <li className="empty">{events.length === 0 ? "No events yet." : "No event matches."}</li>
        )}
      </ol>
    </section>
  );
}

function EventRow({ event, onStory }: { event: EventView; onStory: (filter: string) => void }) {
  return (
    <li className={`event ${event.tone}`}>
      <time dateTime={event.time} title={event.time}>
        {clockText(event.time)}
      </time>
      <div>
        <p className="sentence">{event.sentence}</p>
        <p className="dim">
          {event.node} · {event.type} ·{" "}
          <button
            type="button"
            onClick={() => onStory(event.correlationId)}
            aria-label={`Show the story of: ${event.sentence}`}
          >
            story
          </button>
        </p>
      </div>
    </li>
  );
}
