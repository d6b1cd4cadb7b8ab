// `baton drain`: handed on to health, whose pools know what is in service. What can go wrong is a sentence for whoever asked.
import { type DrainRequest, type DrainResult, HealthServiceClient, type NodeStatus } from "@baton/contracts";
import { clientOptions } from "@baton/host";
import { credentials, Metadata, type ServiceError, status } from "@grpc/grpc-js";

/** Health answers from memory; it may be at the end of a long step. */
const answerMs = 3_000;

/** Why a drain was not done. */
export class DrainError extends Error {
  readonly code: status.NOT_FOUND | status.FAILED_PRECONDITION;

  constructor(code: DrainError["code"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "DrainError";
    this.code = code;
  }
}

/** Asks health on its socket. Rejects with a gRPC error, or a DrainError where it does not answer. */
export async function askHealth(socket: string, request: DrainRequest): Promise<DrainResult> {
  const client = new HealthServiceClient(`unix:${socket}`, credentials.createInsecure(), clientOptions);
  try {
    return await new Promise((resolve, reject) => {
      client.drain(request, new Metadata(), { deadline: Date.now() + answerMs }, (error, result) =>
        error === null ? resolve(result) : reject(explained(error)),
      );
    });
  } finally {
    client.close();
  }
}

function explained(error: ServiceError): Error {
  const { code, details, message } = error;
  if (code === status.UNAVAILABLE || code === status.UNIMPLEMENTED)
    return new DrainError(status.FAILED_PRECONDITION, "health does not answer: nothing was drained", { cause: error });
  if (code === status.DEADLINE_EXCEEDED)
    return new Error("health has not answered yet: baton status tells what is drained", { cause: error });
  return new Error(details === "" ? message : details, { cause: error });
}

/** With a sentence where nothing matches: what there is instead, as far as `known` says. */
export async function drainServers(
  request: DrainRequest,
  ask: (request: DrainRequest) => Promise<DrainResult>,
  known: NodeStatus["virtualServers"],
): Promise<DrainResult> {
  const result = await ask(request);
  if (result.drained.length > 0) return result;
  throw new DrainError(status.NOT_FOUND, nothingMatches(request, known));
}

function nothingMatches({ server, virtualServer }: DrainRequest, known: NodeStatus["virtualServers"]): string {
  if (known.length === 0) return "this node has no virtual servers";
  if (virtualServer === "")
    return `no virtual server here has a real server ${server}: baton status --servers names them all`;
  const named = known.find(({ name }) => name === virtualServer);
  if (named === undefined) return `there is no virtual server ${virtualServer}: baton status names them`;
  const servers = named.servers.slice(0, listedMax).map((each) => each.server);
  const more = named.servers.length > listedMax ? ", …" : "";
  return `${virtualServer} has no real server ${server}, but ${servers.join(", ")}${more}`;
}
const listedMax = 8;
