// How long a takeover takes inside dataplane: from the claim's arrival to the address and to the first announcement, as
// dataplane reports it, and from the claim leaving election to the announcement reaching a neighbour, as others see it.
// Run as root: node services/dataplane/dist/testing/measure.js [rounds] [addresses]
import { ClaimState, LeaseStanding } from "@baton/contracts";
import { claim } from "./fake-election.ts";
import { becameMaster, Lab, snapshotOf, until } from "./lab.ts";
import { instanceConfig, vip } from "./rig.ts";

const rounds = Number(process.argv[2] ?? 50);
const size = Number(process.argv[3] ?? 1);
const addresses = Array.from({ length: size }, (_, i) => `10.50.${i >> 8}.${i & 255}`);

const percentile = (values: readonly number[], share: number): number =>
  [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? Number.NaN;

function show(name: string, values: readonly number[]): void {
  const figures = [0.5, 0.9, 0.99].map((share) => (percentile(values, share) / 1_000).toFixed(3));
  console.log(
    `${name.padEnd(34)} p50 ${figures[0]}  p90 ${figures[1]}  p99 ${figures[2]}  first ${((values[0] ?? 0) / 1_000).toFixed(3)} ms`,
  );
}

const lab = new Lab("dpm");
try {
  const dataplane = await lab.start(
    snapshotOf(
      1,
      instanceConfig(
        "VI_1",
        addresses.map((each) => vip(each)),
      ),
    ),
  );
  const election = await lab.connect();
  // As in a real node: the first takeover comes seconds after the start.
  election.beat([]);
  await new Promise((resolve) => setTimeout(resolve, 2_500));
  election.rest();
  const added: number[] = [];
  const announced: number[] = [];
  const heard: number[] = [];
  const confirmed: number[] = [];
  for (let term = 1; term <= rounds; term++) {
    lab.heard.length = 0;
    dataplane.events.length = 0;
    const sentAt = election.send([claim({ term })]);
    dataplane.send({ type: "event", instance: "VI_1", event: becameMaster("VI_1", term) });
    await election.until("held", () => election.last()?.standing === LeaseStanding.HELD, 20_000);
    confirmed.push((election.answers.at(-1)?.at ?? 0) - sentAt);
    await until("told", () => dataplane.events.some(({ event }) => event.type === "garp-sent"));
    for (const { event } of dataplane.events) {
      if (event.type === "vip-added" && event.data.address === addresses[0]) added.push(event.data.elapsedMicros);
      if (event.type === "garp-sent") announced.push(event.data.elapsedMicros);
    }
    await until("heard", () => lab.heard.length > 0);
    heard.push((lab.heard[0]?.at ?? 0) - sentAt);
    election.send([claim({ term, state: ClaimState.RELEASE })]);
    await election.until("released", () => election.last()?.standing === LeaseStanding.RELEASED, 20_000);
    await until(
      "removals told",
      () => dataplane.events.filter(({ event }) => event.type === "vip-removed").length === size,
    );
  }
  console.log(`${rounds} takeovers of ${size} address(es), milliseconds`);
  show("claim arrived -> address read back", added);
  show("claim arrived -> burst sent", announced);
  show("claim sent -> confirmation received", confirmed);
  show("claim sent -> first ARP at neighbour", heard);
} finally {
  await lab.close();
}
