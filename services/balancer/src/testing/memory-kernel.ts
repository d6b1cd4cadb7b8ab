// ip_vs in memory, as the shell has the real one.
import {
  type ConnectionTimeouts,
  type MemoryTable,
  type Operation,
  type ServiceKey,
  type SyncDaemon,
  serviceName,
} from "@baton/ipvs";
import type { Answer, Ask } from "../keeper.ts";
import { connectedByTable, type EngineKernel } from "../kernel.ts";

export class MemoryKernel implements EngineKernel {
  readonly table: MemoryTable;
  daemons: SyncDaemon[] = [];
  timeouts: ConnectionTimeouts = { tcp: 900, tcpFin: 120, udp: 300 };
  /** Refuses some of what it is told; undefined: it takes it. */
  refuse: (operation: Operation) => string | undefined = () => undefined;
  /** Refuses to change daemons and timeouts. */
  refuseSetting: string | undefined;
  /** No answer comes. */
  isDeaf = false;

  constructor(table: MemoryTable) {
    this.table = table;
  }

  carryOut(ask: Ask): Answer {
    return this.isDeaf ? { kind: "failed", error: "ETIMEDOUT" } : this.#answer(ask);
  }

  cancel(): void {}

  close(): void {}

  #answer(ask: Ask): Answer {
    switch (ask.kind) {
      case "list-services":
        return { kind: "services", services: this.table.dump().map(({ destinations: _, ...service }) => service) };
      case "list-destinations": {
        const dumped = new Map(this.table.dump().map((each) => [JSON.stringify(each.key), each.destinations]));
        return { kind: "destinations", lists: ask.services.map((key) => dumped.get(JSON.stringify(key)) ?? []) };
      }
      case "count-connections": {
        const dumped = new Map(this.table.dump().map((each) => [serviceName(each.key), each.destinations]));
        const list = (service: ServiceKey) => dumped.get(serviceName(service)) ?? [];
        return { kind: "connections", connected: connectedByTable(ask.places, list) };
      }
      case "change":
        return { kind: "changed", errors: ask.operations.map((each) => this.refuse(each) ?? this.table.apply(each)) };
      case "list-daemons":
        return { kind: "daemons", daemons: this.daemons };
      case "change-daemons":
        if (this.refuseSetting !== undefined) {
          return { kind: "changed", errors: ask.operations.map(() => this.refuseSetting) };
        }
        for (const operation of ask.operations) {
          const role = operation.kind === "stop-daemon" ? operation.role : operation.daemon.role;
          this.daemons = this.daemons.filter((each) => each.role !== role);
          if (operation.kind === "start-daemon") this.daemons.push(operation.daemon);
        }
        return { kind: "changed", errors: ask.operations.map(() => undefined) };
      case "read-timeouts":
        return { kind: "timeouts", timeouts: this.timeouts };
      case "set-timeouts": {
        if (this.refuseSetting !== undefined) return { kind: "changed", errors: [this.refuseSetting] };
        const { tcp, tcpFin, udp } = ask.timeouts;
        const kept = this.timeouts;
        this.timeouts = { tcp: tcp || kept.tcp, tcpFin: tcpFin || kept.tcpFin, udp: udp || kept.udp };
        return { kind: "changed", errors: [undefined] };
      }
      default:
        return { kind: "failed", error: `not a question for ip_vs: ${ask.kind}` };
    }
  }
}
