// What happens on a wire whoever Baton's peer is, and the scene that a file of tests plays on.
import { priorities } from "./wire-dialects.ts";
import { atHome, raiseScene, type Scene, type SceneOptions } from "./wire-scene.ts";

type Hook = (run: () => Promise<void>) => void;
type Meanwhile = () => Promise<void>;
const nothing: Meanwhile = async () => undefined;

/** The scene of a file, with r1 and r2 at work, each where it is to be; asked for in each test. */
export function sceneFor(hooks: { beforeAll: Hook; afterAll: Hook }, options: SceneOptions): () => Promise<Scene> {
  const held: { scene?: Scene } = {};
  hooks.beforeAll(async () => {
    held.scene = await raiseScene(options);
  });
  hooks.afterAll(async () => {
    await held.scene?.lab.destroy();
  });
  return async () => {
    if (held.scene === undefined) throw new Error("there is no wire");
    await held.scene.settle();
    return held.scene;
  };
}

/** Each is worth less where it is master, and the other takes over; then all is as it was. */
export async function weighDown({ routers, holders, expectPassed }: Scene, meanwhile = nothing): Promise<void> {
  const { r1, r2 } = routers;
  const since = Date.now();
  await r1.weigh("a", priorities.next - priorities.preferred - 1);
  await r2.weigh("b", priorities.next - priorities.preferred - 1);
  await holders(({ half }) => (half === "a" ? "r2" : "r1"));
  expectPassed("r1", "r2", since);
  await meanwhile();
  for (const router of [r1, r2]) for (const half of ["a", "b"] as const) await router.weigh(half, 0);
  await holders(atHome);
}

/** One is stopped in order: the other follows within the skew time. It comes back, and takes over again. */
export async function stopAndReturn(scene: Scene, who: "r1" | "r2", meanwhile = nothing): Promise<void> {
  const { routers, holders, half, expectFarewell } = scene;
  const heir = who === "r1" ? "r2" : "r1";
  const since = Date.now();
  await routers[who].stop();
  await holders(() => heir);
  expectFarewell(half(who === "r1" ? "a" : "b"), who, heir, since);
  await meanwhile();
  await routers[who].start();
  await holders(atHome);
}

/** One is killed: the other follows within its master-down time. It comes back, and takes over again. */
export async function killAndReturn(scene: Scene, who: "r1" | "r2"): Promise<void> {
  const { routers, holders, half, expectTimedOut } = scene;
  const heir = who === "r1" ? "r2" : "r1";
  const since = Date.now();
  await routers[who].kill();
  await holders(() => heir);
  expectTimedOut(half(who === "r1" ? "a" : "b"), who, heir, since);
  await routers[who].start();
  await holders(atHome);
}
