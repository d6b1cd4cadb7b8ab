// Who may import what (DESIGN's layout): a violation names file, line and what to do instead.
import { posix } from "node:path";
import { type Import, isSpec, type Package, type Repository, type SourceFile } from "./repository.ts";

export type Rule = (repository: Repository) => string[];

export const pureFolders = ["domain", "keepalived-conf", "vrrp", "health", "ipvs", "nft-balancer"].map(
  (name) => `libs/${name}`,
);

/** What a pure library speaks of in another one's words: their types alone, which are gone when it runs. */
const typesOf: Readonly<Record<string, readonly string[]>> = {
  "libs/ipvs": ["@baton/keepalived-conf"],
  "libs/nft-balancer": ["@baton/ipvs"],
};

/** Packages with side effects outside the process have one home each. */
const homes: Readonly<Record<string, string>> = {
  koffi: "libs/linux",
  "raw-socket": "libs/linux",
  nats: "libs/event-log",
  "nkeys.js": "libs/event-log",
  bullmq: "services/notifier",
  ioredis: "services/notifier",
  nodemailer: "services/notifier",
};

const inFolder = (path: string, folder: string): boolean => path.startsWith(`${folder}/`);
const isRelative = (from: string): boolean => from.startsWith(".");
const at = (file: SourceFile, imported: Import): string => `${file.path}:${imported.line}: imports ${imported.from}`;

/** `@baton/vrrp/testing` → `@baton/vrrp`; `yaml` → `yaml`. */
export const packageNameOf = (from: string): string =>
  from
    .split("/")
    .slice(0, from.startsWith("@") ? 2 : 1)
    .join("/");

const packageAt = (repository: Repository, path: string): Package | undefined =>
  repository.packages.find((each) => inFolder(path, each.folder));

const eachImport = (
  repository: Repository,
  check: (file: SourceFile, imported: Import) => string | undefined,
): string[] =>
  repository.sources.flatMap((file) =>
    file.imports.flatMap((imported) => {
      const wrong = check(file, imported);
      return wrong === undefined ? [] : [`${at(file, imported)}: ${wrong}`];
    }),
  );

export const pureLibrariesImportOnlyDomain: Rule = (repository) => [
  ...eachImport(repository, (file, { from, typeOnly }) => {
    const own = pureFolders.find((folder) => inFolder(file.path, folder));
    if (own === undefined || isSpec(file.path) || isRelative(from)) return undefined;
    if (from === "@baton/domain" && own !== "libs/domain") return undefined;
    if (typesOf[own]?.includes(from) === true) return typeOnly ? undefined : "of this one, types only";
    return "a pure library imports nothing but @baton/domain";
  }),
  ...repository.packages
    .filter(({ folder }) => pureFolders.includes(folder))
    .flatMap(({ folder, dependencies }) =>
      dependencies
        .filter((name) => name !== "@baton/domain" || folder === "libs/domain")
        .filter((name) => typesOf[folder]?.includes(name) !== true)
        .map((name) => `${folder}/package.json: depends on ${name}: a pure library depends on @baton/domain alone`),
    ),
];

export const servicesDoNotImportServices: Rule = (repository) => {
  const services = repository.packages.filter(({ folder }) => inFolder(folder, "services"));
  const names = new Set(services.map(({ name }) => name));
  return [
    ...eachImport(repository, (file, { from }) => {
      if (!inFolder(file.path, "services") && !inFolder(file.path, "libs")) return undefined;
      const name = packageNameOf(from);
      return names.has(name) && name !== packageAt(repository, file.path)?.name
        ? "services talk through events and gRPC, never by import"
        : undefined;
    }),
    // The supervisor starts the services: it resolves where their main.js is.
    ...services
      .filter(({ folder }) => folder !== "services/cli")
      .flatMap(({ folder, dependencies }) =>
        dependencies
          .filter((name) => names.has(name))
          .map((name) => `${folder}/package.json: depends on the service ${name}`),
      ),
  ];
};

export const sideEffectPackagesHaveOneHome: Rule = (repository) => [
  ...eachImport(repository, (file, { from }) => {
    const home = homes[packageNameOf(from)];
    return home === undefined || inFolder(file.path, home) ? undefined : `only ${home} does`;
  }),
  ...repository.packages.flatMap(({ folder, dependencies }) =>
    dependencies
      .filter((name) => homes[name] !== undefined && homes[name] !== folder)
      .map((name) => `${folder}/package.json: depends on ${name}: only ${homes[name]} does`),
  ),
];

export const packagesHaveOneDoor: Rule = (repository) =>
  eachImport(repository, (file, { from }) => {
    const own = packageAt(repository, file.path);
    if (isRelative(from)) {
      const target = posix.join(posix.dirname(file.path), from);
      if (own !== undefined && !inFolder(target, own.folder)) return "leaves its package: import the package by name";
      return undefined;
    }
    const other = repository.packages.find(({ name }) => name === packageNameOf(from));
    if (other === undefined || other.name === own?.name) return undefined;
    const door = from === other.name ? "." : `.${from.slice(other.name.length)}`;
    return other.exports.includes(door)
      ? undefined
      : `a deep import: ${other.name} exports ${other.exports.join(", ")}`;
  });

export const relativeImportsNameTheFile: Rule = (repository) =>
  eachImport(repository, (file, { from }) => {
    if (!isRelative(from) || !/\.tsx?$/.test(file.path)) return undefined;
    if (!/\.(tsx?|mjs|js|json|css)$/.test(from)) return "write the file's extension";
    const target = posix.join(posix.dirname(file.path), from);
    const exists = repository.texts.has(target) || /\/(generated|dist)\//.test(target);
    return exists ? undefined : "there is no such file";
  });

export const importsAreDeclared: Rule = (repository) =>
  eachImport(repository, (file, { from }) => {
    const own = packageAt(repository, file.path);
    if (own === undefined || isRelative(from) || from.startsWith("node:")) return undefined;
    const name = packageNameOf(from);
    if (name === own.name || own.dependencies.includes(name)) return undefined;
    // Tests and tools may use what the workspace has for all.
    const forTests = [...own.devDependencies, ...repository.rootDependencies];
    const isTest = isSpec(file.path) || /\/testing\/|\.config\.ts$/.test(file.path) || inFolder(file.path, "test");
    return isTest && forTests.includes(name) ? undefined : `not among the dependencies of ${own.folder}/package.json`;
  });

/** The nodes of one cycle in the graph, or undefined. */
export function findCycle(graph: ReadonlyMap<string, readonly string[]>): string[] | undefined {
  const done = new Set<string>();
  const visit = (node: string, path: readonly string[]): string[] | undefined => {
    const seenAt = path.indexOf(node);
    if (seenAt >= 0) return [...path.slice(seenAt), node];
    if (done.has(node)) return undefined;
    for (const next of graph.get(node) ?? []) {
      const cycle = visit(next, [...path, node]);
      if (cycle !== undefined) return cycle;
    }
    done.add(node);
    return undefined;
  };
  for (const node of graph.keys()) {
    const cycle = visit(node, []);
    if (cycle !== undefined) return cycle;
  }
  return undefined;
}

export const noPackageCycles: Rule = (repository) => {
  const graph = new Map(
    repository.packages.map(({ name, dependencies, devDependencies }) => [name, [...dependencies, ...devDependencies]]),
  );
  const cycle = findCycle(graph);
  return cycle === undefined ? [] : [`packages depend on each other in a circle: ${cycle.join(" → ")}`];
};

export const noFileCycles: Rule = (repository) => {
  // Types are erased: only what is loaded at run time can be loaded too early.
  const graph = new Map(
    repository.sources.map((file) => [
      file.path,
      file.imports
        .filter(({ from, typeOnly }) => isRelative(from) && !typeOnly)
        .map(({ from }) => posix.join(posix.dirname(file.path), from)),
    ]),
  );
  const cycle = findCycle(graph);
  return cycle === undefined ? [] : [`files import each other in a circle: ${cycle.join(" → ")}`];
};
