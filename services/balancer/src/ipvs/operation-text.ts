// What a command to ip_vs does, in words for events.
import { destinationName, type Operation, serviceName } from "@baton/ipvs";

export function operationText(operation: Operation): string {
  switch (operation.kind) {
    case "new-service":
      return `add ${serviceName(operation.service.key)}`;
    case "set-service":
      return `change ${serviceName(operation.service.key)}`;
    case "delete-service":
      return `remove ${serviceName(operation.service)}`;
    case "new-destination":
      return `add ${weighed(operation)}`;
    case "set-destination":
      return `change ${weighed(operation)}`;
    case "delete-destination":
      return `remove ${destinationName(operation.destination)} of ${serviceName(operation.service)}`;
    case "flush":
      return "remove everything";
  }
}

type Weighed = Extract<Operation, { readonly kind: "new-destination" | "set-destination" }>;

const weighed = ({ service, destination }: Weighed): string =>
  `${destinationName(destination)} (weight ${destination.weight}) of ${serviceName(service)}`;

/** Name of the service that it is about; "": of all. */
export function serviceOf(operation: Operation): string {
  if (operation.kind === "flush") return "";
  const isWhole = operation.kind === "new-service" || operation.kind === "set-service";
  return serviceName(isWhole ? operation.service.key : operation.service);
}
