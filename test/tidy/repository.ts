// The repository as plain data: paths, texts and syntax trees. Rules take this and nothing else, so that a planted
// violation is a map literal in a test.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseSync } from "vite";

export interface SyntaxNode {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [field: string]: unknown;
}

export interface Import {
  readonly from: string;
  /** Erased by the compiler: no dependency at run time. */
  readonly typeOnly: boolean;
  readonly line: number;
}

export interface SourceFile {
  readonly path: string;
  readonly text: string;
  /** Program body and everything below it. */
  readonly program: SyntaxNode;
  readonly comments: readonly { readonly value: string; readonly start: number }[];
  readonly imports: readonly Import[];
  lineOf(offset: number): number;
}

export interface Package {
  /** Folder relative to the root: `libs/vrrp`. */
  readonly folder: string;
  readonly name: string;
  readonly exports: readonly string[];
  readonly dependencies: readonly string[];
  readonly devDependencies: readonly string[];
}

export interface Repository {
  /** Every text file, by path relative to the root. */
  readonly texts: ReadonlyMap<string, string>;
  readonly sources: readonly SourceFile[];
  readonly packages: readonly Package[];
  readonly rootDependencies: readonly string[];
}

const textFile = /\.(ts|tsx|mts|js|mjs|json|md|sh|yaml|yml|proto|conf|html|css|toml|service|txt)$/;
const sourceFile = /\.(ts|tsx|mts|js|mjs)$/;
const packageFile = /^((?:libs|services|test)\/[^/]+|deploy\/demo)\/package\.json$/;

export const isSpec = (path: string): boolean => /\.(spec|test)\.tsx?$/.test(path);

export function readRepository(root: string): Repository {
  // Tracked and new files, nothing that git ignores (build output, generated code, packages).
  const listed = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", "-z"], {
    cwd: root,
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
  });
  const paths = listed
    .split("\0")
    .filter((path) => path !== "" && path !== "package-lock.json" && existsSync(join(root, path)))
    .filter((path) => textFile.test(path) || !/\.[^/]*$/.test(path));
  return repositoryOf(new Map(paths.map((path) => [path, readFileSync(join(root, path), "utf8")])));
}

export function repositoryOf(texts: ReadonlyMap<string, string>): Repository {
  return {
    texts,
    sources: [...texts].filter(([path]) => sourceFile.test(path)).map(([path, text]) => parse(path, text)),
    packages: [...texts].flatMap(([path, text]) => {
      const folder = packageFile.exec(path)?.[1];
      return folder === undefined ? [] : [readPackage(folder, text)];
    }),
    rootDependencies: dependenciesOf(JSON.parse(texts.get("package.json") ?? "{}"), "devDependencies"),
  };
}

const dependenciesOf = (manifest: Record<string, unknown>, key: string): string[] => Object.keys(manifest[key] ?? {});

function readPackage(folder: string, text: string): Package {
  const manifest = JSON.parse(text) as Record<string, unknown>;
  return {
    folder,
    name: String(manifest.name),
    exports: Object.keys(manifest.exports ?? {}),
    dependencies: dependenciesOf(manifest, "dependencies"),
    devDependencies: dependenciesOf(manifest, "devDependencies"),
  };
}

function parse(path: string, text: string): SourceFile {
  const { program, comments, errors } = parseSync(path, text);
  const error = errors[0];
  if (error !== undefined) throw new Error(`${path}: ${error.message}`);
  const root = program as unknown as SyntaxNode;
  const starts = [0, ...[...text.matchAll(/\n/g)].map((match) => match.index + 1)];
  const lineOf = (offset: number): number => {
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return low + 1;
  };
  return { path, text, program: root, comments, imports: importsOf(root, lineOf), lineOf };
}

const isNode = (value: unknown): value is SyntaxNode =>
  typeof value === "object" && value !== null && typeof (value as { type?: unknown }).type === "string";

export function childrenOf(node: SyntaxNode): SyntaxNode[] {
  return Object.values(node).flatMap((value) =>
    Array.isArray(value) ? value.filter(isNode) : isNode(value) ? [value] : [],
  );
}

/** Depth first, parents before children. */
export function* nodesOf(node: SyntaxNode, parent?: SyntaxNode): Generator<{ node: SyntaxNode; parent?: SyntaxNode }> {
  yield parent === undefined ? { node } : { node, parent };
  for (const child of childrenOf(node)) yield* nodesOf(child, node);
}

function literalOf(value: unknown): string | undefined {
  return isNode(value) && value.type === "Literal" && typeof value.value === "string" ? value.value : undefined;
}

const nameOf = (value: unknown): string | undefined =>
  isNode(value) && value.type === "Identifier" ? String(value.name) : undefined;

function importOf(node: SyntaxNode): { from: string; typeOnly: boolean } | undefined {
  switch (node.type) {
    case "ImportDeclaration":
    case "ExportNamedDeclaration":
    case "ExportAllDeclaration": {
      const from = literalOf(node.source);
      if (from === undefined) return undefined;
      return { from, typeOnly: node.importKind === "type" || node.exportKind === "type" };
    }
    case "ImportExpression": {
      const from = literalOf(node.source);
      return from === undefined ? undefined : { from, typeOnly: false };
    }
    case "TSImportType": {
      const from = literalOf(node.source ?? node.argument);
      return from === undefined ? undefined : { from, typeOnly: true };
    }
    case "CallExpression": {
      // createRequire(…) is by habit called `require`; what it loads is an import like any other.
      const from = literalOf((node.arguments as unknown[] | undefined)?.[0]);
      const callee = nameOf(node.callee);
      return from !== undefined && callee !== undefined && /^require($|[A-Z])/.test(callee)
        ? { from, typeOnly: false }
        : undefined;
    }
    default:
      return undefined;
  }
}

function importsOf(program: SyntaxNode, lineOf: (offset: number) => number): Import[] {
  return [...nodesOf(program)].flatMap(({ node }) => {
    const found = importOf(node);
    return found === undefined ? [] : [{ ...found, line: lineOf(node.start) }];
  });
}
