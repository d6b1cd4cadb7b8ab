// The bus as witness (SAFETY S13): routers of a segment tell each other over the hub that they are not master any more. A
// denial may be old, or forged: it makes a backup ask, with a nonce that nobody can know before, and only the answer is
// told to the machine. Which does not believe it against adverts. Live or never: what no uplink takes is gone.
import { randomBytes } from "node:crypto";
import { type Testimony, TestimonyKind, WitnessServiceService } from "@baton/contracts";
import { type IpAddress, parseIp } from "@baton/domain";
import type { GrpcService } from "@baton/host";
import type { ElectionConfig, Input } from "@baton/vrrp";
import type { ServerDuplexStream } from "@grpc/grpc-js";

/** What an instance is to other routers. */
export type Subject = Pick<ElectionConfig, "name" | "interface" | "family" | "vrid">;

/** An instance of this node that a testimony may be about. */
export interface Concerned {
  readonly subject: Subject;
  /** The sources that others know it by: of the last advert that it sent, and its present one. */
  readonly addresses: readonly IpAddress[];
  /** Whether it can say of itself that it is not master. */
  readonly deniesMastership: boolean;
  feed(input: Input): void;
}

export interface TestimonyOptions {
  /** Interface → name of its segment. An interface without a name neither tells nor believes anything. */
  segments(): Readonly<Record<string, string>>;
  concerned(interfaceName: string, vrid: number): readonly Concerned[];
}

export interface Testimonies {
  readonly grpc: GrpcService;
  /** This instance is not master any more; its adverts came from `address`. */
  deny(subject: Subject, address: IpAddress): void;
  ask(subject: Subject, source: IpAddress): void;
  /** One that came over the hub; whatever is in it. */
  receive(testimony: Testimony): void;
}

type Call = ServerDuplexStream<Testimony, Testimony>;

const nonceBytes = 16;
/** An uplink that does not read gets no more than this: nothing old is worth being told. */
const unreadMax = 64;

export function createTestimonies({ segments, concerned }: TestimonyOptions): Testimonies {
  const calls = new Set<Call>();
  /** By instance: what was asked last, and of whom. */
  const questions = new Map<string, { readonly nonce: string; readonly source: IpAddress }>();

  const tell = ({ interface: device, family, vrid }: Subject, said: Pick<Testimony, "kind" | "address" | "nonce">) => {
    const segment = segments()[device];
    if (segment === undefined) return;
    // After the step that is running: its adverts go first (SAFETY S7).
    queueMicrotask(() => {
      for (const call of calls) if (call.writableLength < unreadMax) call.write({ segment, family, vrid, ...said });
    });
  };

  const answer = (testimony: Testimony, address: IpAddress, each: Concerned): void => {
    if (!each.deniesMastership || !each.addresses.includes(address)) return;
    const { address: asked, nonce } = testimony;
    tell(each.subject, { kind: TestimonyKind.ANSWER, address: asked, nonce });
  };

  const hearAnswer = (nonce: string, source: IpAddress, each: Concerned): void => {
    const question = questions.get(each.subject.name);
    if (question === undefined || question.nonce !== nonce || question.source !== source) return;
    questions.delete(each.subject.name);
    each.feed({ type: "witness-answered", source });
  };

  const receive = (testimony: Testimony): void => {
    const { kind, segment, family, vrid, nonce } = testimony;
    const source = parseIp(testimony.address);
    if (source === undefined || segment === "") return;
    const devices = Object.entries(segments()).flatMap(([device, name]) => (name === segment ? [device] : []));
    for (const device of devices) {
      for (const each of concerned(device, vrid)) {
        if (each.subject.family !== family) continue;
        if (kind === TestimonyKind.DENIAL) each.feed({ type: "mastership-denied", source });
        else if (kind === TestimonyKind.QUESTION) answer(testimony, source, each);
        else if (kind === TestimonyKind.ANSWER) hearAnswer(nonce, source, each);
      }
    }
  };

  const exchange = (call: Call): void => {
    calls.add(call);
    call.on("data", receive);
    call.on("end", () => {
      calls.delete(call);
      call.end();
    });
    for (const event of ["cancelled", "close", "error"]) call.on(event, () => calls.delete(call));
  };

  return {
    grpc: { definition: WitnessServiceService, implementation: { exchange } },
    receive,
    deny: (subject, address) => tell(subject, { kind: TestimonyKind.DENIAL, address, nonce: "" }),
    ask: (subject, source) => {
      const nonce = randomBytes(nonceBytes).toString("hex");
      questions.set(subject.name, { nonce, source });
      tell(subject, { kind: TestimonyKind.QUESTION, address: source, nonce });
    },
  };
}
