// Interfaces that an instance has made for itself, so that its addresses keep their MAC address.

import type { Report } from "../../report.ts";
import type { Word } from "../../source/words.ts";
import { flag, interfaceName, interfaceNameMax, invalidValue } from "../arguments.ts";
import { wholeLine } from "../line-arguments.ts";
import { missingWord } from "../missing-word.ts";
import { type Prefix, plainPrefix } from "../prefix-arguments.ts";
import { type Argument, type KeywordLine, missing, works } from "../table.ts";

/** What its lines say; several add up. */
export interface VmacWords {
  readonly name: string | undefined;
  /** Six octets, or five and the VRID for the last one. */
  readonly mac: { readonly octets: readonly number[]; readonly place: Word } | undefined;
  readonly netlinkNotify: boolean;
  /** A group of interfaces, by name or number. */
  readonly group: Word | undefined;
}

/** RFC 9568 section 7.3: these belong to routers that give no MAC address of their own. */
const standardMac = (octets: readonly number[]): boolean =>
  octets.slice(0, 4).join(":") === "0:0:94:0" && (octets[4] === 1 || octets[4] === 2);

function macOf(word: Word, line: KeywordLine, report: Report): readonly number[] | undefined {
  const parts = word.text.replace(/:$/, "").split(":");
  const octets = parts.map((part) => (/^[0-9a-f]{1,2}$/i.test(part) ? Number.parseInt(part, 16) : -1));
  if ((octets.length !== 5 && octets.length !== 6) || octets.includes(-1))
    return invalidValue(word, line, report, "a MAC address of 6 octets, or of 5, and the VRID is the sixth");
  if (((octets[0] ?? 0) & 1) === 1) return invalidValue(word, line, report, "a MAC address that is no multicast one");
  if (standardMac(octets)) return invalidValue(word, line, report, "no MAC address, for the one that VRRP has");
  return octets;
}

/** As the kernel judges names of interfaces. */
const isDeviceName = (name: string): boolean =>
  name !== "" && name !== "." && name !== ".." && name.length <= interfaceNameMax && !/[/:\s]/.test(name);

/** The word behind `words[at]`; keepalived ends without it. */
function valueBehind(words: readonly Word[], at: number, line: KeywordLine, report: Report, syntax: string) {
  const value = words[at + 1];
  if (value === undefined) report(missingWord(line, syntax));
  return value;
}

const vmacSyntax = "[[name] IFNAME] [MAC] [netlink_notify_msg] [group GROUP]";

const vmac: Argument<VmacWords> = wholeLine(
  vmacSyntax,
  (line, report) => {
    const found: { -readonly [Name in keyof VmacWords]: VmacWords[Name] } = {
      name: undefined,
      mac: undefined,
      netlinkNotify: false,
      group: undefined,
    };
    for (let i = 0; i < line.args.length; i++) {
      const word = line.args[i];
      if (word === undefined) break;
      if (word.text.includes(":")) {
        if (found.mac !== undefined) invalidValue(word, line, report, "one MAC address only");
        else {
          const octets = macOf(word, line, report);
          if (octets !== undefined) found.mac = { octets, place: word };
        }
      } else if (word.text === "netlink_notify_msg") found.netlinkNotify = true;
      else if (word.text === "group") found.group = valueBehind(line.args, i++, line, report, vmacSyntax);
      else {
        const name = word.text === "name" ? valueBehind(line.args, i++, line, report, vmacSyntax) : word;
        if (name === undefined) break;
        if (found.name !== undefined) invalidValue(name, line, report, "one name only");
        else if (!isDeviceName(name.text)) invalidValue(name, line, report, "a name that an interface can have");
        else found.name = name.text;
      }
    }
    return found;
  },
  { range: "names up to 15 characters; MAC with 6 octets, or 5 and the VRID" },
);

export interface IpvlanWords {
  readonly name: string | undefined;
  readonly address: Prefix | undefined;
  readonly mode: "bridge" | "private" | "vepa";
  readonly group: Word | undefined;
}

const ipvlanSyntax = "[[name] IFNAME] [ADDR] [bridge|private|vepa] [group GROUP]";
const ipvlanModes = ["bridge", "private", "vepa"] as const;

const ipvlan: Argument<IpvlanWords> = wholeLine(
  ipvlanSyntax,
  (line, report) => {
    let [name, address, group]: [Word?, Prefix?, Word?] = [];
    let mode: IpvlanWords["mode"] | undefined;
    for (let i = 0; i < line.args.length; i++) {
      const word = line.args[i];
      if (word === undefined) break;
      const [asMode, asAddress] = [ipvlanModes.find((each) => each === word.text), plainPrefix(word.text)];
      if (asMode !== undefined) {
        if (mode !== undefined) invalidValue(word, line, report, "one of bridge, private and vepa");
        mode ??= asMode;
      } else if (word.text === "group") group = valueBehind(line.args, i++, line, report, ipvlanSyntax);
      else if (asAddress !== undefined && word.text !== "name") {
        if (address !== undefined) invalidValue(word, line, report, "one address only");
        address ??= asAddress;
      } else {
        const named = word.text === "name" ? valueBehind(line.args, i++, line, report, ipvlanSyntax) : word;
        if (named === undefined) break;
        if (name !== undefined) invalidValue(named, line, report, "one name only");
        else if (named.text.length > interfaceNameMax) invalidValue(named, line, report, "a shorter name");
        else name = named;
      }
    }
    return { name: name?.text, address, mode: mode ?? "bridge", group };
  },
  { range: "names up to 15 characters; for IPv4 an address has to be given" },
);

export const virtualMac = {
  useVmac: works("use_vmac", vmac, {
    meaning:
      "Holds the addresses on an interface of its own, with the MAC address that VRRP has for the virtual router.",
    service: "dataplane",
    repeat: "all",
    default: "off; the name is vrrp.VRID",
  }),
  useVmacAddress: works("use_vmac_addr", flag, {
    meaning: "Does so for addresses on other interfaces and of the other family, too.",
    service: "dataplane",
    default: "off",
  }),
  vmacTransmitBase: works("vmac_xmit_base", flag, {
    meaning: "Sends and hears adverts on the interface below the one with the virtual MAC address.",
    service: "election",
    default: "off; on with unicast_peer",
  }),
  useIpvlan: works("use_ipvlan", ipvlan, {
    meaning: "Holds the addresses on an interface of its own that shares the MAC address.",
    service: "dataplane",
    repeat: "first",
    default: "off",
  }),
  syncDaemonInterface: missing("lvs_sync_daemon_interface", interfaceName, "write lvs_sync_daemon in global_defs", {
    meaning: "The interface over which connections are shared with another load balancer.",
    service: "dataplane",
    repeat: "first",
    deprecated: "write lvs_sync_daemon in global_defs",
    default: "none",
  }),
} as const;
