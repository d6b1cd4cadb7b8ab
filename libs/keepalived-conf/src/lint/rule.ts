// What a rule of lint is: something that keepalived accepts, and that its author most likely did not mean. A rule is a
// small function beside the words that explain it; its manual page, `--explain` and a test are made of both.
import type { IpAddress } from "@baton/domain";
import type { Config, InstanceConfig } from "../config.ts";
import type { ScriptWeakness } from "../machine.ts";
import type { Source } from "../parse-config.ts";
import type { Place } from "../report.ts";
import type { Places } from "./places.ts";
import type { Candidate } from "./priorities.ts";

/** A whole configuration, for the manual; `peer`: that of the other router. */
export interface Example {
  readonly text: string;
  readonly peer?: string | undefined;
}

interface About {
  /** Kebab-case; what silences it. */
  readonly name: string;
  /** One line, without a full stop. */
  readonly title: string;
  readonly severity: "warning" | "info";
  /** What happens, and what to do. */
  readonly why: string;
  readonly bad: Example;
  readonly good: Example;
}

export interface OwnRule extends About {
  readonly by: "lint";
  readonly check: Check;
}

export type Check = (file: LintedFile) => Iterable<Finding | undefined>;

/** What the parser finds on its way: listed so that it is explained, and can be silenced. */
export interface ParserRule extends About {
  readonly by: "parser";
}

export type LintRule = OwnRule | ParserRule;

/** Of its diagnostics, whoever finds them. */
export const codeOf = ({ name }: LintRule): string => `lint/${name}`;

export interface Finding {
  readonly place: Place;
  readonly message: string;
  readonly hint?: string | undefined;
}

/** A file that is judged, and what it is compared with. */
export interface LintedFile {
  readonly config: Config;
  readonly source: Source;
  readonly places: Places;
  readonly candidates: ReadonlyMap<InstanceConfig, Candidate>;
  readonly peers: readonly PeerFile[];
  /** Files of other routers that cannot be compared with. */
  readonly unusablePeers: readonly string[];
  /** Which instances of the peers are the same virtual router as one of ours. */
  readonly pairs: readonly InstancePair[];
  readonly machine: LintMachine;
}

/** A rule that compares an instance with the same virtual router on another router. */
export const perPair =
  (find: (pair: InstancePair, file: LintedFile) => Finding | undefined): Check =>
  (file) =>
    file.pairs.map((pair) => find(pair, file));

export interface PeerFile {
  /** For messages. */
  readonly name: string;
  readonly config: Config;
}

export interface InstancePair {
  readonly own: InstanceConfig;
  readonly other: InstanceConfig;
  readonly ownCandidate: Candidate;
  readonly otherCandidate: Candidate;
  readonly peer: PeerFile;
}

/** What is known of the machine that is to use the files; what is absent is not checked. */
export interface LintMachine {
  /** What `stat` says, links followed; undefined: there is no such file, or it cannot be looked at. */
  readonly fileStatus?: ((path: string) => FileStatus | undefined) | undefined;
  /** What lets somebody else than root change a file; undefined too where there is none. */
  readonly pathWeakness?: ((path: string) => ScriptWeakness | undefined) | undefined;
  /** Those that stand on the interface now, virtual ones of a running master included. */
  readonly interfaceAddresses?: ((name: string) => readonly InterfaceAddress[]) | undefined;
}

export interface FileStatus {
  /** Permission bits as in `chmod`. */
  readonly mode: number;
  readonly userId: number;
  readonly groupId: number;
}

export interface InterfaceAddress {
  readonly address: IpAddress;
  readonly prefixLength: number;
}
