// HealthService on health's socket: an operator's drains, handed on by control.
import { type DrainRequest, type DrainResult, type HealthServiceServer, HealthServiceService } from "@baton/contracts";
import { messageOf } from "@baton/domain";
import type { GrpcService } from "@baton/host";
import { type sendUnaryData, status } from "@grpc/grpc-js";
import type { DrainedServer, DrainOrder } from "./drains.ts";

export function createDrainService(drain: (order: DrainOrder) => Promise<DrainedServer[]>): GrpcService {
  const implementation = {
    drain: ({ request }: { request: DrainRequest }, done: sendUnaryData<DrainResult>) => {
      if (request.server === "") return done({ code: status.INVALID_ARGUMENT, details: "no server is named" });
      drain(request).then(
        (drained) => done(null, { drained }),
        (error: unknown) => done({ code: status.INTERNAL, details: messageOf(error) }),
      );
    },
  } satisfies HealthServiceServer;
  return { definition: HealthServiceService, implementation };
}
