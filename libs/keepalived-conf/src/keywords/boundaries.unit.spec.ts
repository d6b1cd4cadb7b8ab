// Every number of the table at its ends: what its range names is taken, what is one beyond is complained about, and so are
// words that are no numbers, and no word at all. The ranges are those that manuals show: they cannot promise too much.
import { describe, expect, test } from "vitest";
import type { Problem } from "../report.ts";
import { textOf } from "../source/text.ts";
import { splitWords, type Word } from "../source/words.ts";
import { keywordTable, root } from "./root.ts";
import type { BlockSpec, Keyword, Option, ValueBlock } from "./table.ts";

type Row = Keyword<unknown> | Option<unknown> | (ValueBlock & { readonly header: Keyword<unknown>["argument"] });

/** How a number is written where it is not alone: by the syntax, then by what the range calls it. `#` is the number. */
const templates: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "HOST [PORT]": { port: "localhost #" },
  "IP [PORT]": { port: "10.0.0.1 #" },
  "[tcp SECS] [tcpfin SECS] [udp SECS]": { "": "tcp #" },
  "IFNAME [[inst] INSTANCE] [id N] [maxlen N] [port N] [ttl N] [group ADDR]": {
    id: "eth0 inst VI_1 id #",
    maxlen: "eth0 inst VI_1 maxlen #",
    port: "eth0 inst VI_1 port #",
    ttl: "eth0 inst VI_1 ttl #",
  },
  "NAT|DR|TUN [type ipip|gue|gre] [port N] [nocsum|csum|remcsum]": { port: "TUN type gue port #" },
  "ID VALUE": { ID: "# 0123456789abcdef0123456789abcdef", "": "1 LENGTH" },
  "ADDR[/LEN]": { "": "10.0.0.0/#" },
  "ADDR[/LEN]|default": { "": "10.0.0.0/#" },
  "[via ADDR] [dev IF] [weight N] [onlink] [realms …] [encap …] [nexthop …]": { weight: "via 10.0.0.1 weight #" },
  "IFNAME DOWN [UP]": { "": "eth0 1 #" },
};

/** Syntaxes that begin with the number. */
const alone = /^\[?(N|SECS|USECS|MS|BYTES|ID|PORT|PRIORITY)\b|^(MTU\|ADVERT\||\[all\] |\[lock\] |\[SOURCE\/\])/;

/** What is not tried here, and why. */
const elsewhere: Readonly<Record<string, string>> = {
  // The number is the end of a range of addresses, which address-arguments.ts makes of the whole word.
  "IP[-END|/LENGTH] [PORT]": "virtual-server-group.unit.spec.ts",
};

interface Bound {
  readonly row: Row;
  readonly path: string;
  readonly template: string;
  readonly min: string;
  readonly max: string;
}

function rowsOf(block: BlockSpec, path: string): { readonly row: Row; readonly path: string }[] {
  const at = (name: string): string => (path === "" ? name : `${path}.${name}`);
  const own = Object.values(block.keywords).flatMap((spec): { row: Row; path: string }[] => {
    if (spec.kind === "keyword") return [{ row: spec, path: at(spec.name) }];
    const { form, header } = spec;
    const placed = [form?.first, form?.rest].filter((option) => option !== undefined);
    const options = [...placed, ...Object.values(form?.options ?? {})];
    return [
      ...(header === undefined ? [] : [{ row: { ...spec, header }, path: at(spec.name) }]),
      ...options.map((row) => ({ row, path: `${at(spec.name)} ${row.name}` })),
    ];
  });
  return [...own, ...block.blocks.flatMap((inner) => rowsOf(inner, at(inner.name)))];
}

const argumentOf = (row: Row) => (row.kind === "values" ? row.header : row.argument);

function boundsOf(row: Row, path: string): Bound[] {
  const { syntax, range } = argumentOf(row);
  const found = [...range.matchAll(/(?:(\w+) )?(-?\d[\d.]*) to (-?\d[\d.]*)/g)];
  if (Object.hasOwn(elsewhere, syntax)) return [];
  return found.flatMap(([, label = "", min = "", max = ""]) => {
    const known = Object.hasOwn(templates, syntax) ? templates[syntax] : undefined;
    const template = known?.[label] ?? known?.[""] ?? (alone.test(syntax) ? "#" : undefined);
    if (template === undefined) throw new Error(`${path}: nobody says where to write the number of ${syntax}`);
    return template.includes("#") ? [{ row, path, template, min, max }] : [];
  });
}

const bounds = rowsOf(root, "").flatMap(({ row, path }) => boundsOf(row, path));

interface Outcome {
  readonly value: unknown;
  /** Something was said of it. */
  readonly told: boolean;
  /** There was no word where one is needed. */
  readonly missing: boolean;
}

function read(row: Row, words: string): Outcome {
  const [keyword, ...args] = splitWords(textOf(`${row.name.replace(/[()]/g, "")} ${words}`)).words;
  if (keyword === undefined) throw new Error("no word");
  const problems: Problem[] = [];
  const report = (problem: Problem): void => void problems.push(problem);
  const at = (word: Word = keyword) => ({ file: "f", line: 1, column: word.column });
  const text = textOf(words);
  const outcome = (value: unknown, missing: boolean): Outcome => ({
    value,
    told: problems.length > 0,
    missing,
  });
  if (row.kind !== "option") {
    const argument = argumentOf(row) as Keyword<unknown>["argument"];
    if (args.length < argument.required) return outcome(undefined, true);
    return outcome(argument.parse({ keyword, args, text, at }, report), false);
  }
  let taken = 0;
  const cursor = { peek: (ahead = 0) => args[taken + ahead], take: () => args[taken++] };
  const invalid = (word: Word): void =>
    report({ place: at(word), severity: "error", code: "invalid-value", errorClass: "general-error", message: "" });
  const entry = { words: [keyword, ...args], text, order: 1, at } as const;
  const machine = { hostName: "r1" };
  const value = row.argument.read(cursor, { report, machine, dynamicInterfaces: true, entry, word: keyword, invalid });
  return outcome(value, taken > args.length);
}

const accepted = { value: expect.anything(), told: false, missing: false };

/** One more or less in the last place that the range shows. */
function next(bound: string, step: 1 | -1): string {
  const decimals = bound.includes(".") ? bound.length - bound.indexOf(".") - 1 : 0;
  const scaled = BigInt(bound.replace(".", "")) + BigInt(step);
  if (decimals === 0) return String(scaled);
  const digits = String(scaled < 0n ? -scaled : scaled).padStart(decimals + 1, "0");
  return `${scaled < 0n ? "-" : ""}${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`;
}

describe.each(bounds.map((bound) => [`${bound.path}: ${bound.min} to ${bound.max}`, bound] as const))(
  "%s",
  (_, bound) => {
    const { row, template, min, max } = bound;
    const write = (number: string): Outcome => read(row, template.replaceAll("#", number));

    test("takes both ends", () => {
      for (const end of [min, max]) expect([end, write(end)]).toEqual([end, accepted]);
    });

    test("complains about what is one beyond", () => {
      for (const beyond of [next(max, 1), next(min, -1)]) expect([beyond, write(beyond).told]).toEqual([beyond, true]);
    });

    test("complains about a word that is no number", () => {
      expect(write("x").told).toBe(true);
    });

    test("complains about a word that is not there, or does without", () => {
      const { told, missing } = read(row, template.slice(0, template.indexOf("#")));
      expect(missing || told || argumentOf(row).syntax.includes("[")).toBe(true);
    });

    test("does not take what follows for a part of it", () => {
      const { value } = write(min);
      const surplus = read(row, `${template.replaceAll("#", min)} surplus`);
      if (!surplus.told) expect(surplus.value).toEqual(value);
    });
  },
);

test("most numbers are alone on their lines, and none is forgotten", () => {
  const numbers = keywordTable().filter(({ range }) => /\d to -?\d/.test(range));
  const tried = new Set(bounds.map(({ row }) => argumentOf(row).syntax));
  const syntaxes = new Set(
    numbers.filter(({ block }) => block !== "(file)").map(({ syntax }) => syntax.replace(/ ?\{ … \}$/, "")),
  );
  expect([...syntaxes].filter((syntax) => !tried.has(syntax)).toSorted()).toEqual(Object.keys(elsewhere));
  expect(bounds.length).toBeGreaterThan(250);
});
