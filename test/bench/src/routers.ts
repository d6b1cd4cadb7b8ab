// The same router twice: as Baton and as keepalived.
import type { Lab } from "@baton/lab";
import { virtualAddress } from "@baton/lab";

export type System = "baton" | "keepalived";

export interface MeasuredRouter {
  terminate(): void;
  /** What it has said so far. */
  log(): string;
  /** Names and pids of its processes, as the machine knows them. */
  processes(): ReadonlyMap<string, number>;
  /** From start to ready, in milliseconds; keepalived: to its first state. */
  readonly startMs: number;
}

const config = (state: string, priority: number): string => `
vrrp_instance VI_1 {
  interface eth0
  state ${state}
  priority ${priority}
  virtual_router_id 51
  advert_int 1
  authentication {
    auth_type PASS
    auth_pass secret12
  }
  virtual_ipaddress {
    ${virtualAddress}/16 dev eth0
  }
}
`;

/** `program`: another keepalived than the machine's own. */
export async function startRouterWith(
  lab: Lab,
  system: System,
  name: string,
  text: string,
  program?: string,
): Promise<MeasuredRouter> {
  const router = lab.router(name);
  const startedAt = performance.now();
  if (system === "baton") {
    const node = await router.startBaton(text);
    await node.waitReady();
    const startMs = performance.now() - startedAt;
    return {
      startMs,
      terminate: () => node.process.signal("SIGTERM"),
      log: () => node.process.log(),
      processes: () => new Map([["supervisor", node.pid], ...node.servicePids()]),
    };
  }
  const node = await router.startKeepalived(text, program);
  await node.waitLog(/Entering BACKUP STATE/);
  return {
    startMs: performance.now() - startedAt,
    terminate: () => node.signal("SIGTERM"),
    log: () => node.log(),
    processes: () => new Map([["keepalived", node.pid]]),
  };
}

export const startRouter = (
  lab: Lab,
  system: System,
  name: string,
  { state, priority }: { state: "MASTER" | "BACKUP"; priority: number },
): Promise<MeasuredRouter> => startRouterWith(lab, system, name, config(state, priority));
