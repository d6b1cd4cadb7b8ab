// An instance's addresses as keepalived's files show them: where they stand, and whether they are set.
import { dumpedAddress, type InstanceConfig } from "@baton/keepalived-conf";
import type { InstanceFacts } from "./dump-facts.ts";

type Addresses = InstanceConfig["addresses"];

export const addressLines = (instance: InstanceFacts, addresses: Addresses): string[] =>
  addresses.map((address) => {
    const { ownInterface, present } = instance;
    const isOnOwn = address.vmac === "instance" && ownInterface !== "";
    const place = isOnOwn ? `${ownInterface}@${instance.config.interface}` : address.interface;
    const line = dumpedAddress({ ...address, interface: place });
    return present.has(address.address) ? `${line} set` : line;
  });
