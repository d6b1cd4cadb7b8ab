// One virtual router: the verdict first, then what each of its routers says.
import type { GroupView, MemberView } from "../../src/view.ts";
import { verdictText } from "./fleet-store.ts";
import { agoText, clockText } from "./time-text.ts";

const verdictTone = {
  "one-master": "good",
  moving: "warn",
  "two-masters": "bad",
  "no-master": "bad",
  unreachable: "neutral",
} as const satisfies Record<GroupView["verdict"], string>;

export function GroupCard({ group, now }: { group: GroupView; now: number }) {
  const title = `group-${group.vrid}-${group.instance}`;
  return (
    <article className={`card group ${verdictTone[group.verdict]}`} aria-labelledby={title}>
      <div className="card-head">
        <h3 id={title}>
          {group.instance} <span className="chip">VRID {group.vrid}</span>
        </h3>
        {/* The key makes a new element of a new verdict: its highlight starts again. */}
        <p className={`verdict ${verdictTone[group.verdict]}`} key={`${group.verdict} ${group.master}`}>
          {verdictText(group)}
        </p>
      </div>
      <table>
        <caption className="visually-hidden">Routers of {group.instance}</caption>
        <thead>
          <tr>
            <th scope="col">Router</th>
            <th scope="col">State</th>
            <th scope="col">Priority</th>
            <th scope="col">Term</th>
            <th scope="col">Since</th>
            <th scope="col">Addresses</th>
          </tr>
        </thead>
        <tbody>
          {group.members.map((member) => (
            <Member key={member.node} member={member} now={now} />
          ))}
        </tbody>
      </table>
    </article>
  );
}

function Member({ member, now }: { member: MemberView; now: number }) {
  return (
    <tr className={member.reachable ? undefined : "stale"}>
      <th scope="row" data-label="Router">
        {member.node} <span className="dim">{member.interface}</span>
      </th>
      <td data-label="State">
        <span className={`state ${member.state}`}>{member.state}</span>
        {!member.reachable && <span className="dim"> last known</span>}
      </td>
      <td data-label="Priority">
        {member.priority}
        {member.basePriority !== 0 && member.basePriority !== member.priority && (
          <span className="dim"> of {member.basePriority}</span>
        )}
      </td>
      <td data-label="Term">{member.term}</td>
      <td data-label="Since" title={[member.since, member.reason].filter((text) => text !== "").join(" · ")}>
        {clockText(member.since).slice(0, 8)} <span className="dim">{agoText(member.since, now)}</span>
      </td>
      <td data-label="Addresses">
        <Addresses member={member} />
      </td>
    </tr>
  );
}

/** Configured addresses are shown on every router; solid are those that its kernel has. */
function Addresses({ member }: { member: MemberView }) {
  if (member.addresses.length === 0) return <span className="dim">none</span>;
  return (
    <ul className="addresses">
      {member.addresses.map(({ address, present, error }) => (
        <li key={address} className={error !== "" ? "bad" : present ? "present" : "absent"} title={error}>
          {address}
          <span className="visually-hidden">
            {error !== "" ? ` failed: ${error}` : present ? " held" : " not held"}
          </span>
        </li>
      ))}
    </ul>
  );
}
