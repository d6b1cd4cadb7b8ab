// How routers of a group know each other: a password of VRRPv2, or a signature behind each advert.

import { octetsOf } from "../../source/text.ts";
import { choice, integer, invalidValue, secret, text } from "../arguments.ts";
import { incomplete, numberOf, wholeLine } from "../line-arguments.ts";
import { block, works } from "../table.ts";

export const authentication = block("authentication", {
  meaning: "What VRRPv2 has against strangers.",
  service: "election",
  keywords: {
    type: works("auth_type", choice("PASS", "AH"), {
      meaning: "PASS: a password in clear text; AH: a signature in an IPsec header.",
      default: "none",
    }),
    password: works("auth_pass", secret(text("STRING")), {
      meaning: "The password, alike on all routers; 8 octets of it count.",
      default: "none: it has to be given",
    }),
  },
  misnomers: { type: "auth_type", password: "auth_pass", pass: "auth_pass" },
});

/** What keepalived takes for a key of HMAC-SHA256. */
const keyOctets = { min: 32, max: 64 } as const;

export interface HmacKey {
  readonly id: number;
  readonly value:
    | { readonly from: "file"; readonly path: string }
    | { readonly from: "text"; readonly secret: string }
    /** An even number of digits, in lower case. */
    | { readonly from: "hex"; readonly secret: string };
}

/** Octets of one or two digits; blanks may stand between them. undefined: it is no such thing. */
function hexDigits(text: string): string | undefined {
  const octets = text.match(/[0-9a-f]{1,2}|[^ \t]/gi) ?? [];
  if (octets.some((octet) => !/^[0-9a-f]+$/i.test(octet))) return undefined;
  return octets.map((octet) => octet.toLowerCase().padStart(2, "0")).join("");
}

const key = wholeLine<HmacKey>(
  "ID VALUE",
  (line, report) => {
    const [number, word] = line.args;
    if (number === undefined || word === undefined) return incomplete(line, report, "ID VALUE");
    const id = numberOf(number, { min: 1, max: 255, strict: true }, line, report);
    if (id === undefined) return undefined;
    const { text: written } = word;
    // The file is the service's to read; it may hold another key tomorrow.
    if (written.startsWith("file:")) return { id, value: { from: "file", path: written.slice("file:".length) } };
    const hex = written.startsWith("hex:");
    const found = hex ? (hexDigits(written.slice("hex:".length)) ?? "") : written;
    const octets = hex ? found.length / 2 : octetsOf(found);
    if (octets >= keyOctets.min && octets <= keyOctets.max)
      return { id, value: { from: hex ? "hex" : "text", secret: found } };
    return invalidValue(word, line, report, `${keyOctets.min} to ${keyOctets.max} octets; this is ${octets}`);
  },
  { range: "ID 1 to 255; VALUE as text, hex:DIGITS or file:PATH, 32 to 64 octets" },
);

export const authHmac = block("auth_hmac", {
  meaning: "A signature behind each advert, for both versions of VRRP.",
  service: "election",
  since: "2.4.0",
  keywords: {
    key: works("key", secret(key), {
      meaning: "A key that adverts may be signed with; several, while they are exchanged for others.",
      since: "2.4.0",
      repeat: "all",
      default: "none: one has to be given",
    }),
    activeKey: works("active_key", integer({ min: 1, max: 255, strict: true, syntax: "ID" }), {
      meaning: "The key that this router signs with.",
      since: "2.4.0",
      default: "none: it has to be given",
    }),
    timeWindow: works("time_window", integer({ min: 1, max: 300, strict: true, syntax: "SECS" }), {
      meaning: "How far the clocks of the routers may be apart.",
      since: "2.4.0",
      default: "three times advert_int, from 5 to 300",
    }),
    antiReplay: works("anti_replay", choice("time", "monotonic"), {
      meaning: "How old adverts are told from new ones: by the time, or by a number that rises.",
      since: "2.4.0",
      default: "time",
    }),
    mode: works("mode", choice("enforce", "permissive", "receive-only"), {
      meaning: "What becomes of adverts without a signature while not all routers have one.",
      since: "2.4.0",
      default: "enforce",
    }),
  },
});
