// What is asked of the machine inside, and what it answers: plain data, by way of files.
import type { WantedService } from "@baton/ipvs";
import type { Host } from "./configurations.ts";

export interface ParityTask {
  readonly configurations: readonly {
    readonly name: string;
    readonly text: string;
    /** By address: whose server its checks have to find there, on port 80. */
    readonly answering: Readonly<Record<string, Host>>;
    /** keepalived's table after a reload from here to the next one is not compared. */
    readonly reloads: boolean;
    /** As it has to be in each state. */
    readonly tables: readonly (readonly WantedService[])[];
  }[];
  readonly states: readonly {
    readonly name: string;
    readonly up: readonly Host[];
    /** What is in the followed files, by path. */
    readonly files: Readonly<Record<string, string>>;
  }[];
  /** For a table to become what it has to be. */
  readonly patienceSeconds: number;
}

/** What keepalived's table was: by configuration, then by state. */
export type SeenTables = Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;

export interface ParityAnswer {
  /** None: everything is the same. */
  readonly differences: readonly Difference[];
  /** Tables compared. */
  readonly compared: { readonly keepalived: number; readonly own: number };
  readonly seen: SeenTables;
}

export interface Difference {
  readonly configuration: string;
  readonly state: string;
  /** Whose table: keepalived's, what Baton's own plan has made of the table before, or a running Baton's. */
  readonly of: "keepalived" | "own" | "running";
  readonly wanted: readonly string[];
  readonly found: readonly string[];
}
