// Rules about files as such: names, places, READMEs, links.
import { posix } from "node:path";
import type { Rule } from "./architecture.ts";
import { isSpec } from "./repository.ts";

const readmeLinesMax = 40;

const linesOf = (text: string): string[] => text.split("\n");

export const testsSayWhatTheyCost: Rule = ({ texts }) =>
  [...texts.keys()]
    .filter((path) => isSpec(path) && !/\.(unit|int|story|e2e)\.spec\.tsx?$/.test(path))
    .map((path) => `${path}: name it *.unit.spec.ts, *.int.spec.ts, *.story.spec.ts or *.e2e.spec.ts`);

export const filesHaveKebabNames: Rule = ({ sources }) =>
  sources
    .map(({ path }) => path)
    .filter((path) => !/^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9-]+)*$/.test(posix.basename(path)))
    .map((path) => `${path}: file names are kebab-case`);

export const filesAreNamedAfterTheirSubject: Rule = ({ sources }) =>
  sources
    .map(({ path }) => path)
    .filter((path) => /(^|[-/.])(managers?|helpers?|utils?|impl|misc|common)\.(ts|tsx|mjs|js)$/.test(path))
    .map((path) => `${path}: name the file after what is in it`);

/** Places of one machine; a program that needs such a place asks os.tmpdir() or a setting. */
const machinePath = /(?<![\w.}$)*-])\/(work|root|home|tmp)\/[\w.-]/;
/** In tests such a path may be data. */
const machinePathInSpec = /(?<![\w.}$)*-])\/(work|root)\/[\w.-]/;

export const noMachinePaths: Rule = ({ texts }) =>
  [...texts].flatMap(([path, text]) =>
    linesOf(text).flatMap((line, index) =>
      (isSpec(path) ? machinePathInSpec : machinePath).test(line)
        ? [`${path}:${index + 1}: a path of one machine: ${line.trim().slice(0, 100)}`]
        : [],
    ),
  );

const outside = /\.\.\/shared\//;

export const onlyTestsReadSharedMaterial: Rule = ({ texts }) =>
  [...texts]
    .filter(([path]) => !isSpec(path))
    .flatMap(([path, text]) =>
      linesOf(text).flatMap((line, index) =>
        outside.test(line) ? [`${path}:${index + 1}: lies outside of the repository`] : [],
      ),
    );

export const packagesExplainThemselves =
  (exempt: readonly string[]): Rule =>
  ({ packages, texts }) =>
    packages
      .filter(({ folder }) => !exempt.includes(folder))
      .flatMap(({ folder }) => {
        const readme = texts.get(`${folder}/README.md`);
        if (readme === undefined) return [`${folder}: has no README.md`];
        const lines = linesOf(readme.trimEnd()).length;
        return lines > readmeLinesMax ? [`${folder}/README.md: ${lines} lines, at most ${readmeLinesMax}`] : [];
      });

export const packagesAreNamed: Rule = ({ packages }) =>
  packages
    .filter(({ name }) => !/^@baton\/[a-z0-9-]+$/.test(name))
    .map(({ folder, name }) => `${folder}/package.json: the name ${name} is not @baton/…`);

const fence = /^\s*(```|~~~)/;

/** Text of a markdown file without its code blocks: a link in an example is no link. */
function prose(text: string): { line: string; number: number }[] {
  let inFence = false;
  return linesOf(text).flatMap((line, index) => {
    if (fence.test(line)) inFence = !inFence;
    return inFence || fence.test(line) ? [] : [{ line: line.replace(/`[^`]*`/g, ""), number: index + 1 }];
  });
}

export const linksResolve: Rule = ({ texts }) => {
  const folders = new Set([...texts.keys()].flatMap((path) => ancestorsOf(path)));
  return [...texts]
    .filter(([path]) => path.endsWith(".md"))
    .flatMap(([path, text]) =>
      prose(text).flatMap(({ line, number }) =>
        [...line.matchAll(/\]\(([^)\s]+)(?:\s+"[^"]*")?\)/g)]
          .map((match) => match[1] ?? "")
          .filter((link) => !/^([a-z]+:|#)/.test(link))
          .filter((link) => {
            const target = posix.join(posix.dirname(path), link.replace(/#.*/, "")).replace(/\/$/, "");
            return !texts.has(target) && !folders.has(target);
          })
          .map((link) => `${path}:${number}: ${link} leads nowhere`),
      ),
    );
};

function ancestorsOf(path: string): string[] {
  const folder = posix.dirname(path);
  return folder === "." ? ["."] : [folder, ...ancestorsOf(folder)];
}

/** The properties as the simulator declares them. */
const declared = /export const properties = \[([^\]]*)\]/;

const modelPage = "docs/model.md";
const checkers = "libs/simulator/src/checkers.ts";

/** What is promised and what is checked are the same list. */
export const everyPropertyIsInTheModel: Rule = ({ texts }) => {
  const [page, source] = [texts.get(modelPage) ?? "", texts.get(checkers) ?? ""];
  const properties = [...(declared.exec(source)?.[1] ?? "").matchAll(/"([a-z-]+)"/g)].map(([, name = ""]) => name);
  const stated = [...page.matchAll(/^\| `([a-z-]+)` \|/gm)].map(([, name = ""]) => name);
  const simulator = [...texts].filter(([path]) => path.startsWith("libs/simulator/src/")).map(([, text]) => text);
  const uses = (name: string): number => simulator.join("\n").split(`"${name}"`).length - 1;
  return [
    ...properties.filter((name) => !stated.includes(name)).map((name) => `${modelPage}: does not state ${name}`),
    ...stated.filter((name) => !properties.includes(name)).map((name) => `${modelPage}: ${name} is checked nowhere`),
    ...properties
      .filter((name) => uses(name) < 2)
      .map((name) => `${checkers}: ${name} is declared, and checked nowhere`),
  ];
};
