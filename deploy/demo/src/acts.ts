// The play: the service behind the address dies and comes back, then the whole master does. Each time the address goes
// to the other router and returns, and the timeline says when what happened.
import type { BatonEventType } from "@baton/domain";
import { virtualAddress, waitFor } from "@baton/lab";
import { bootNow } from "@baton/linux";
import type { RouterName, Scene } from "./scene.ts";
import { hasMoved, type Moves, type Timeline, timelineLines, timelineOf } from "./timeline.ts";
import type { View } from "./view.ts";

export interface ActResult {
  readonly name: string;
  readonly what: string;
  readonly away: Timeline;
  readonly back: Timeline;
  readonly moved: boolean;
  readonly cameBack: boolean;
}

interface Act {
  readonly name: string;
  readonly what: string;
  readonly noticedBy: Moves["noticedBy"];
  readonly again: string;
  readonly noticedAgainBy: Moves["noticedBy"];
  takeDown(scene: Scene): Promise<unknown>;
  bringBack(scene: Scene): Promise<unknown>;
}

const acts: readonly Act[] = [
  {
    name: "service-failure",
    what: "HAProxy dies on r1",
    noticedBy: { node: "r1", type: "script-failed" },
    takeDown: (scene) => scene.haproxy("r1").kill(),
    again: "HAProxy runs again on r1, which has the higher priority",
    noticedAgainBy: { node: "r1", type: "script-succeeded" },
    bringBack: (scene) => scene.startHaproxy("r1"),
  },
  {
    name: "node-failure",
    what: "everything on r1 is killed at once",
    // Silence is the only sign: noticed and decided in one step, when the master-down interval is over.
    noticedBy: { node: "r2", type: "became-master" },
    takeDown: (scene) => scene.lab.router("r1").killEverything(),
    again: "r1 starts again",
    noticedAgainBy: { node: "r1", type: "service-started" },
    async bringBack(scene) {
      await scene.lab.router("r1").startResponder();
      await scene.startHaproxy("r1");
      await scene.startNode("r1");
    },
  },
];

export async function play(scene: Scene, view: View, pause: (millis: number) => Promise<void>): Promise<ActResult[]> {
  const results: ActResult[] = [];
  for (const act of acts) {
    await pause(2_000);
    view.heading(`▼ ${act.what}`);
    const away = await move(scene, { from: "r1", to: "r2", noticedBy: act.noticedBy }, () => act.takeDown(scene));
    show(view, `r2 took ${virtualAddress} over`, away);
    await pause(2_000);
    view.heading(`▲ ${act.again}`);
    const back = await move(scene, { from: "r2", to: "r1", noticedBy: act.noticedAgainBy }, () => act.bringBack(scene));
    show(view, `r1 took ${virtualAddress} back`, back);
    const { name, what } = act;
    results.push({ name, what, away, back, moved: hasMoved(away), cameBack: hasMoved(back) });
  }
  return results;
}

function show(view: View, title: string, timeline: Timeline): void {
  view.line();
  view.line(`  ${title}, after`);
  for (const line of timelineLines(timeline)) view.line(line);
}

async function move(
  scene: Scene,
  { from, to, noticedBy }: { from: RouterName; to: RouterName; noticedBy: Moves["noticedBy"] },
  disturb: () => Promise<unknown>,
): Promise<Timeline> {
  const at = bootNow();
  await disturb();
  await scene.probe.waitAnswered(to, 30_000);
  const told = (type: BatonEventType): boolean =>
    scene.events.some((envelope) => envelope.node === to && envelope.event.type === type && envelope.at >= at);
  await waitFor(`${to} to announce the address`, () => told("garp-sent"));
  await scene.probe.waitAnswered(to);
  return timelineOf({ at, from, to, noticedBy }, scene.events, await scene.probe.report());
}
