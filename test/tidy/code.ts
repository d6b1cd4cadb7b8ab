// What a source file may contain: rules that need the syntax tree, not a search for words.
import type { Rule } from "./architecture.ts";
import { pureFolders } from "./architecture.ts";
import { childrenOf, isSpec, nodesOf, type SourceFile, type SyntaxNode } from "./repository.ts";

export const limits = {
  fileLinesMax: 500,
  /** Lines of a function that are its own: those of the functions in it are theirs. */
  functionLinesMax: 70,
  /** A function together with the functions in it: a factory of closures is read like a class. */
  closureLinesMax: 200,
} as const;

/**
 * Files and functions that are longer than the limit, with their present length: it may shrink, never grow, and an
 * entry that is no longer needed is itself a violation.
 */
export type Ratchet = Readonly<Record<string, number>>;

const typescript = (file: SourceFile): boolean => /\.tsx?$/.test(file.path);
const at = (file: SourceFile, node: { start: number }): string => `${file.path}:${file.lineOf(node.start)}`;
const identifier = (value: unknown): string | undefined => {
  const node = value as SyntaxNode | null | undefined;
  return node?.type === "Identifier" ? String(node.name) : undefined;
};

// --- purity ---------------------------------------------------------------------------------------------------------

const world = new Set(
  "Date setTimeout setInterval setImmediate queueMicrotask process Promise Buffer globalThis console require fetch performance crypto".split(
    " ",
  ),
);

/** Names of this file's own: a parameter called `process` is not Node's. */
function declaredNames(file: SourceFile): Set<string> {
  const names = new Set<string>();
  const declare = (pattern: SyntaxNode): void => {
    for (const { node } of nodesOf(pattern)) {
      const name = identifier(node);
      if (name !== undefined) names.add(name);
    }
  };
  for (const { node } of nodesOf(file.program)) {
    if (node.type === "VariableDeclarator" || node.type === "FunctionDeclaration") declare(node.id as SyntaxNode);
    if (/Function/.test(node.type)) for (const each of (node.params as SyntaxNode[] | undefined) ?? []) declare(each);
  }
  return names;
}

/** A name that stands for a value or type here, rather than for a property of something. */
function isReference(node: SyntaxNode, parent: SyntaxNode | undefined): boolean {
  if (parent === undefined || parent.computed === true) return true;
  return parent.property !== node && parent.key !== node && parent.label !== node;
}

export const pureLibrariesKeepOutOfTheWorld: Rule = ({ sources }) =>
  sources
    .filter((file) => pureFolders.some((folder) => file.path.startsWith(`${folder}/`)) && !isSpec(file.path))
    .flatMap((file) => {
      const own = declaredNames(file);
      return [...nodesOf(file.program)].flatMap(({ node, parent }) => {
        const name = identifier(node);
        if (name !== undefined && world.has(name) && !own.has(name) && isReference(node, parent))
          return [`${at(file, node)}: uses ${name}: pass it in`];
        if (node.type === "AwaitExpression" || (/Function/.test(node.type) && node.async === true))
          return [`${at(file, node)}: is asynchronous: a pure library has no promises`];
        const isRandom = node.type === "MemberExpression" && identifier(node.property) === "random";
        if (isRandom && identifier(node.object) === "Math") return [`${at(file, node)}: uses Math.random: pass it in`];
        return [];
      });
    });

// --- size -----------------------------------------------------------------------------------------------------------

function overLimit(lengths: ReadonlyMap<string, number>, limit: number, ratchet: Ratchet): string[] {
  const tooLong = [...lengths]
    .filter(([place, lines]) => lines > (ratchet[place] ?? limit))
    .map(([place, lines]) => `${place}: ${lines} lines, at most ${ratchet[place] ?? limit}`);
  const obsolete = Object.keys(ratchet)
    .filter((place) => (lengths.get(place) ?? 0) <= limit)
    .map((place) => `${place}: is within the limit now: remove it from the ratchet`);
  return [...tooLong, ...obsolete];
}

export const filesAreShort =
  (ratchet: Ratchet): Rule =>
  ({ sources }) =>
    overLimit(
      new Map(sources.map((file) => [file.path, file.text.trimEnd().split("\n").length])),
      limits.fileLinesMax,
      ratchet,
    );

function functionName(node: SyntaxNode, parent: SyntaxNode | undefined): string {
  const names = [node.id, parent?.key, parent?.id].map(identifier);
  return names.find((name) => name !== undefined) ?? "a function";
}

const isFunction = (node: SyntaxNode): boolean =>
  /^(FunctionDeclaration|FunctionExpression|ArrowFunctionExpression)$/.test(node.type);

const linesOf = (file: SourceFile, node: SyntaxNode): number => file.lineOf(node.end) - file.lineOf(node.start) + 1;

/** The functions that lie directly in this one. */
function innerFunctions(node: SyntaxNode): SyntaxNode[] {
  return childrenOf(node).flatMap((child) => (isFunction(child) ? [child] : innerFunctions(child)));
}

function ownLines(file: SourceFile, node: SyntaxNode): number {
  // A function of one line stands on a line of its parent's.
  const inner = innerFunctions(node).map((each) => linesOf(file, each) - 1);
  return linesOf(file, node) - inner.reduce((sum, lines) => sum + lines, 0);
}

const measured =
  (measure: (file: SourceFile, node: SyntaxNode) => number, limit: number) =>
  (ratchet: Ratchet): Rule =>
  ({ sources }) => {
    const lengths = new Map<string, number>();
    // In a spec the functions are describe blocks; what matters there is the file's length.
    for (const file of sources.filter(({ path }) => !isSpec(path))) {
      for (const { node, parent } of nodesOf(file.program)) {
        if (!isFunction(node)) continue;
        const place = `${file.path} ${functionName(node, parent)}`;
        lengths.set(place, Math.max(measure(file, node), lengths.get(place) ?? 0));
      }
    }
    return overLimit(lengths, limit, ratchet);
  };

export const functionsAreShort = measured(ownLines, limits.functionLinesMax);
export const closuresAreShort = measured(linesOf, limits.closureLinesMax);

// --- types and state ------------------------------------------------------------------------------------------------

export const typesAreHonest: Rule = ({ sources }) =>
  sources.filter(typescript).flatMap((file) =>
    [...nodesOf(file.program)].flatMap(({ node }) => {
      if (node.type === "TSAnyKeyword") return [`${at(file, node)}: any: say what it is, or unknown`];
      if (node.type === "TSNonNullExpression") return [`${at(file, node)}: non-null assertion: check it`];
      return [];
    }),
  );

export const noSilencedTools: Rule = ({ sources }) =>
  sources.flatMap((file) =>
    file.comments
      .filter(({ value }) => /@ts-(ignore|nocheck|expect-error)|eslint-disable|biome-ignore/.test(value))
      .map((comment) => `${at(file, comment)}: silences a tool: repair what it found`),
  );

export const noLooseEnds: Rule = ({ sources }) =>
  sources.flatMap((file) =>
    file.comments
      .filter(({ value }) => /\b(TODO|FIXME|XXX|HACK)\b/.test(value))
      .map((comment) => `${at(file, comment)}: finish it, or open an issue`),
  );

export const noMutableModuleState: Rule = ({ sources }) =>
  sources
    .filter((file) => typescript(file) && !isSpec(file.path))
    .flatMap((file) =>
      childrenOf(file.program)
        .map((node) => (node.type === "ExportNamedDeclaration" ? (node.declaration as SyntaxNode | null) : node))
        .filter((node) => node?.type === "VariableDeclaration" && node.kind !== "const")
        .map((node) => `${at(file, node ?? file.program)}: mutable module state: put it where it is made`),
    );

const banned = /(?:Manager|Helpers?|Utils?|Impl)(?=$|[A-Z])|Base$/;

export const namesSayWhatTheyAre: Rule = ({ sources }) =>
  sources.filter(typescript).flatMap((file) =>
    [...nodesOf(file.program)].flatMap(({ node }) => {
      if (!/^(ClassDeclaration|TSInterfaceDeclaration|TSTypeAliasDeclaration)$/.test(node.type)) return [];
      const name = identifier(node.id);
      return name !== undefined && banned.test(name) ? [`${at(file, node)}: ${name}: name what it does`] : [];
    }),
  );

export const doorsNameWhatTheyExport: Rule = ({ sources }) =>
  sources
    .filter(({ path }) => path.endsWith("/mod.ts"))
    .flatMap((file) =>
      childrenOf(file.program)
        .filter(({ type }) => type === "ExportAllDeclaration")
        .map((node) => `${at(file, node)}: export *: name what others may use`),
    );

export const environmentIsReadInMain: Rule = ({ sources }) =>
  sources
    .filter(({ path }) => /^(services|libs)\//.test(path) && !isSpec(path) && !path.endsWith("/main.ts"))
    .filter(({ path }) => !path.startsWith("libs/host/") && !path.includes("/testing/"))
    .flatMap((file) =>
      [...nodesOf(file.program)]
        .filter(
          ({ node }) =>
            node.type === "MemberExpression" &&
            identifier(node.object) === "process" &&
            ["env", "argv"].includes(identifier(node.property) ?? ""),
        )
        .map(({ node }) => `${at(file, node)}: only main.ts and libs/host read the environment`),
    );
