import { readFile } from 'node:fs/promises';
import { DataError, InputError, UsageError } from '../errors.js';
import { isRecord } from '../formats/record.js';
import { brief } from '../formats/text.js';
import { tabulatePoints } from './pair-table.js';
import { isPreset, type SystemSpec, systemFromSpec, systemSpec } from './spec.js';
import { defineSystem, type EnergyTerm, type System } from './system.js';

/** Numbers that each kind of term needs in a file; `scale` is 1 and `species` all pairs unless given. */
const CONSTANTS = {
  'double-well': ['a', 'b', 'c', 'd0'],
  'lennard-jones': ['epsilon', 'rMin'],
  trap: ['stiffness'],
  tabulated: [],
} as const;

/** Bounds what a small file can ask for: masks and tables of the terms live in kernel memory together. */
const MAXIMUM_TERMS = 1000;
const MAXIMUM_INTERVALS = 2 ** 19;

const KEYS = ['name', 'particles', 'dimensions', 'species', 'terms', 'convention', 'start', 'metropolisStep'];

/**
 * The system that a definition describes, as it stands in a JSON or YAML file (docs/systems.md) or a model file.
 * @throws DataError naming the field, its value and what was expected
 */
export function systemFromDefinition(definition: unknown, source: string): System {
  const fail = (what: string): never => {
    throw new DataError(`${source}: ${what}`);
  };
  if (!isRecord(definition)) return fail('expected a system definition: name, particles, dimensions, terms');
  const unknown = Object.keys(definition).find((key) => !KEYS.includes(key));
  if (unknown !== undefined) fail(`unknown field ${brief(unknown)}, expected some of ${KEYS.join(', ')}`);
  const { name, particles, dimensions, terms, species, start, convention, metropolisStep } = definition;
  if (typeof name !== 'string' || !/^[\w.-]{1,64}$/.test(name)) {
    fail(`name is ${brief(name)}, expected 1 to 64 letters, digits, dots, hyphens or underscores`);
  }
  if (typeof particles !== 'number' || !Number.isInteger(particles) || particles < 2 || particles > 10_000) {
    return fail(`particles is ${brief(particles)}, expected an integer from 2 to 10000`);
  }
  if (dimensions !== 2 && dimensions !== 3) return fail(`dimensions is ${brief(dimensions)}, expected 2 or 3`);
  if (!Array.isArray(terms)) return fail(`terms is ${brief(terms)}, expected a list`);
  if (terms.length > MAXIMUM_TERMS) return fail(`${terms.length} terms, expected at most ${MAXIMUM_TERMS}`);
  checkIntervals(terms, source);
  if (convention !== undefined && typeof convention !== 'string') {
    return fail(`convention is ${brief(convention)}, expected a text`);
  }
  try {
    return defineSystem({
      name: name as string,
      particles,
      dimensions,
      terms: terms.map((term, t) => termFrom(term, `${source}: terms[${t}]`)),
      convention: convention ?? `sum of ${terms.length} terms as defined in the file`,
      ...(species === undefined ? {} : { species: speciesNumbers(species, particles, `${source}: species`) }),
      sampling: {
        metropolisStep: metropolisStep === undefined ? 0.05 : number(metropolisStep, `${source}: metropolisStep`),
        start: start === undefined ? lattice(particles, dimensions) : numbers(start, `${source}: start`),
      },
    });
  } catch (error) {
    if (error instanceof UsageError) throw new DataError(`${source}: ${error.message}`, { cause: error });
    throw error;
  }
}

/** A definition from which `systemFromDefinition` builds the same system. */
export function systemDefinition(system: System): Record<string, unknown> {
  const { name, particles, dimensions, species, terms, convention, sampling } = system;
  const { metropolisStep, start } = sampling;
  return { name, particles, dimensions, species: [...species], terms, convention, start: [...start], metropolisStep };
}

/** How model files and manifests name a system: a preset's specification, or the whole definition of any other. */
export function describeSystem(system: System): SystemSpec | Record<string, unknown> {
  return isPreset(system) ? systemSpec(system) : systemDefinition(system);
}

/** The system that `describeSystem` described. */
export function systemFromDescription(description: unknown, source: string): System {
  if (isRecord(description) && 'terms' in description) return systemFromDefinition(description, source);
  return systemFromSpec(description as SystemSpec);
}

/**
 * A system by specification (`lj13:pairFactor=2`) or from a definition in a `.json`, `.yaml` or `.yml` file.
 * @throws UsageError as `systemFromSpec`; InputError if the file cannot be read; DataError if it is no definition
 */
export async function loadSystem(specOrPath: string): Promise<System> {
  if (!/\.(json|ya?ml)$/i.test(specOrPath)) return systemFromSpec(specOrPath);
  let text: string;
  try {
    text = await readFile(specOrPath, 'utf8');
  } catch (error) {
    throw new InputError(`cannot read ${specOrPath}: ${(error as NodeJS.ErrnoException).code}`, { cause: error });
  }
  // Loaded on demand: the YAML parser takes as long to load as a thousand samples of DW4.
  const { parseYaml } = await import('../formats/yaml.js');
  return systemFromDefinition(parseYaml(text, specOrPath), specOrPath);
}

/** Numbers, nested or flat, as a flat list. */
function numbers(value: unknown, source: string): number[] {
  if (!Array.isArray(value)) throw new DataError(`${source} is ${brief(value)}, expected a list of numbers`);
  const flat: unknown[] = value.flat();
  const bad = flat.findIndex((entry) => typeof entry !== 'number' || !Number.isFinite(entry));
  if (bad >= 0) throw new DataError(`${source}: ${brief(flat[bad])} at position ${bad}, expected a finite number`);
  return flat as number[];
}

function number(value: unknown, source: string): number {
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  throw new DataError(`${source} is ${brief(value)}, expected a finite number`);
}

/** Species that fields and tables can be numbered by: one a particle, counting up from 0 without gaps. */
function speciesNumbers(value: unknown, particles: number, source: string): number[] {
  const species = numbers(value, source);
  const present = new Set(species);
  const complete = species.every((s) => Number.isInteger(s) && s >= 0 && s < present.size);
  if (species.length !== particles || !complete) {
    throw new DataError(
      `${source}: ${brief(species)}, expected ${particles} numbers, one per particle, counting up from 0 without gaps`,
    );
  }
  return species;
}

/** Refuses tables that would take minutes to make before the first is made. */
function checkIntervals(terms: readonly unknown[], source: string): void {
  let intervals = 0;
  for (const term of terms) {
    if (!isRecord(term) || term.kind !== 'tabulated' || term.values !== undefined) continue;
    intervals += typeof term.intervals === 'number' && term.intervals > 0 ? term.intervals : 2048;
  }
  if (intervals > MAXIMUM_INTERVALS) {
    throw new DataError(`${source}: tables of ${intervals} intervals in all, expected at most ${MAXIMUM_INTERVALS}`);
  }
}

function termFrom(value: unknown, source: string): EnergyTerm {
  if (!isRecord(value)) throw new DataError(`${source} is ${brief(value)}, expected a term with a kind`);
  const { kind, species, scale = 1, ...rest } = value;
  if (typeof kind !== 'string' || !Object.hasOwn(CONSTANTS, kind)) {
    throw new DataError(`${source}: kind is ${brief(kind)}, expected ${Object.keys(CONSTANTS).join(', ')}`);
  }
  const scaleNumber = number(scale, `${source}: scale`);
  if (kind === 'trap' && species !== undefined)
    throw new DataError(`${source}: a trap has no species, it holds all particles`);
  const pair = species === undefined ? {} : { species: numbers(species, `${source}: species`) as [number, number] };
  if (kind === 'tabulated') return tabulatedFrom(rest, scaleNumber, pair, source);
  const constants: Record<string, number> = {};
  const names: readonly string[] = CONSTANTS[kind as keyof typeof CONSTANTS];
  for (const name of names) {
    const given = name === 'c' ? (rest[name] ?? 0) : rest[name];
    if (given === undefined) throw new DataError(`${source}: ${name} is missing, expected a number`);
    constants[name] = number(given, `${source}: ${name}`);
  }
  refuseOthers(rest, names, source);
  return { kind, scale: scaleNumber, ...constants, ...pair } as unknown as EnergyTerm;
}

/** Either points (`distances`, `energies`) or a table as model files hold it (`dMin`, `dMax`, `values`, `slopes`). */
function tabulatedFrom(
  rest: Record<string, unknown>,
  scale: number,
  pair: { species?: [number, number] },
  source: string,
): EnergyTerm {
  const take = (name: string) => {
    if (rest[name] === undefined) throw new DataError(`${source}: ${name} is missing, expected numbers`);
    return numbers(rest[name], `${source}: ${name}`);
  };
  if (rest.values !== undefined) {
    refuseOthers(rest, ['dMin', 'dMax', 'values', 'slopes'], source);
    const [dMin, dMax] = [number(rest.dMin, `${source}: dMin`), number(rest.dMax, `${source}: dMax`)];
    return { kind: 'tabulated', scale, dMin, dMax, values: take('values'), slopes: take('slopes'), ...pair };
  }
  refuseOthers(rest, ['distances', 'energies', 'intervals'], source);
  const intervals = rest.intervals === undefined ? {} : { intervals: number(rest.intervals, `${source}: intervals`) };
  return tabulatePoints(take('distances'), take('energies'), { scale, ...intervals, ...pair }).term;
}

function refuseOthers(rest: Record<string, unknown>, known: readonly string[], source: string): void {
  const unknown = Object.keys(rest).find((key) => !known.includes(key));
  if (unknown !== undefined) {
    throw new DataError(
      `${source}: unknown field ${brief(unknown)}, expected some of kind, scale, species, ${known.join(', ')}`,
    );
  }
}

/** A start where none is given: particles on a square or cubic lattice of spacing 1, centred. */
function lattice(particles: number, dimensions: number): number[] {
  const side = Math.ceil(particles ** (1 / dimensions) - 1e-9);
  const x = Array.from({ length: particles }, (_, i) =>
    Array.from({ length: dimensions }, (_, axis) => Math.floor(i / side ** axis) % side),
  );
  const centre = Array.from({ length: dimensions }, (_, axis) => x.reduce((sum, point) => sum + point[axis], 0));
  return x.flatMap((point) => point.map((value, axis) => value - centre[axis] / particles));
}
