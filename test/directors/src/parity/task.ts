// What is asked of the machine inside, and what it answers: plain data, by way of files.
import type { WantedService } from "@baton/ipvs";

export interface ParityTask {
  readonly configurations: readonly {
    readonly name: string;
    readonly text: string;
    /** Addresses of real servers that its checks have to find. */
    readonly answering: readonly string[];
    /** keepalived's table after a reload from here to the next one is not compared. */
    readonly reloads: boolean;
    /** As it has to be in each state. */
    readonly tables: readonly (readonly WantedService[])[];
  }[];
  readonly states: readonly {
    readonly name: string;
    /** What is in the followed files, by path. */
    readonly files: Readonly<Record<string, string>>;
  }[];
}

export interface ParityAnswer {
  /** None: everything is the same. */
  readonly differences: readonly Difference[];
  /** Tables compared. */
  readonly compared: { readonly keepalived: number; readonly own: number };
}

export interface Difference {
  readonly configuration: string;
  readonly state: string;
  /** Whose table: keepalived's, or what Baton's own plan has made of the table before. */
  readonly of: "keepalived" | "own";
  readonly wanted: readonly string[];
  readonly found: readonly string[];
}
