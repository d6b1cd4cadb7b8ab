// The definitions that are there from the start (grammar section 10).
import type { Definition, DefinitionsOptions } from "./definition.ts";

export interface Parameters {
  readonly min: number;
  readonly max: number;
  readonly numeric: boolean;
}

export function predefined({ directory, configId, env, seed }: DefinitionsOptions): Map<string, Definition> {
  const random = seededRandom(seed);
  const definition = (compute: Definition["compute"], parameters?: Parameters): Definition => ({
    lines: [""],
    multiline: false,
    parameters,
    compute,
  });
  const variable = (name: string): string => (Object.hasOwn(env, name) ? (env[name] ?? "") : "");
  return new Map<string, Definition>([
    ["_PWD", definition(directory)],
    ["_INSTANCE", definition(() => configId)],
    [
      "_RANDOM",
      definition((bounds, complain) => drawBetween(random, bounds, complain), { min: 0, max: 2, numeric: true }),
    ],
    ["_ENV", definition(([name = ""]) => variable(name), { min: 1, max: 1, numeric: false })],
    ["_HASH", definition(() => "#")],
    ["_BANG", definition(() => "!")],
  ]);
}

function drawBetween(random: () => number, bounds: readonly string[], complain: (message: string) => void): string {
  const [min, max] = [boundOf(bounds[0], 0), boundOf(bounds[1], 32_767)];
  if (min > max) complain(`${min} is more than ${max}; it is ${min}`);
  return String(min > max ? min : min + (random() % (max - min + 1)));
}

const boundOf = (text: string | undefined, absent: number): number =>
  text === undefined ? absent : Math.min(Number(text), Number.MAX_SAFE_INTEGER);

/** xorshift32 over an FNV-1a hash: spread is all that matters. */
function seededRandom(seed: string): () => number {
  let state = 0x811c9dc5;
  for (let i = 0; i < seed.length; i++) state = Math.imul(state ^ seed.charCodeAt(i), 0x01000193) >>> 0;
  if (state === 0) state = 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state;
  };
}
