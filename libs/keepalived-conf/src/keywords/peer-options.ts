// The words of a line of `unicast_peer`.
import { ip } from "./address-arguments.ts";
import { integer } from "./arguments.ts";
import { entryForm, one, option } from "./option.ts";

const ttl = integer({ min: 0, max: 255, strict: true });

export const peerAddress = option("(address)", one(ip()), {
  loses: "entry",
  meaning: "Another router of the group, to which adverts are sent.",
});

export const peerOptions = {
  minTtl: option("min_ttl", one(ttl), {
    default: "0",
    meaning: "Drops adverts from the peer that come with a lower TTL or hop limit, so from further away.",
  }),
  maxTtl: option("max_ttl", one(ttl), {
    default: "255",
    meaning: "Drops adverts from the peer that come with a higher TTL or hop limit.",
  }),
} as const;

export const peerForm = entryForm(peerOptions, { first: peerAddress, unknownWord: "rest", missingValue: "option" });
