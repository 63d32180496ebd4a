import { UsageError } from '../errors.js';
import { brief } from '../formats/text.js';
import { PRESETS, type Preset, type PresetOption } from './presets.js';
import type { System } from './system.js';

/** A system as model files name it: `{ "name": "lj13", "pairFactor": 2 }`. */
export interface SystemSpec {
  readonly name: string;
  readonly [option: string]: string | number;
}

/** A preset as `equiflow systems` lists it. */
export interface SystemListing {
  readonly name: string;
  readonly particles: number;
  readonly options: readonly PresetOption[];
  /** The settings that the literature uses, with what is known about each. */
  readonly variants: readonly { readonly spec: string; readonly system: System }[];
}

/**
 * The system of a specification: `dw4`, `dw2:dimensions=3`, `{ name: 'lj13', pairFactor: 2 }`.
 *
 * @throws UsageError for a name, option or value that does not exist, or a required option left out
 */
export function systemFromSpec(spec: string | SystemSpec): System {
  const { name, given } = typeof spec === 'string' ? parseSpec(spec) : objectSpec(spec);
  const preset = PRESETS.find((candidate) => candidate.name === name);
  if (!preset) {
    throw new UsageError(`system: unknown name '${name}', expected one of ${PRESETS.map((p) => p.name).join(', ')}`);
  }
  for (const option of given.keys()) {
    if (preset.options.some((candidate) => candidate.name === option)) continue;
    const names = preset.options.map((candidate) => candidate.name).join(', ');
    throw new UsageError(
      `system ${name}: unknown option '${option}', expected ${names === '' ? 'none: it has no options' : names}`,
    );
  }
  const options: Record<string, number> = {};
  for (const option of preset.options) options[option.name] = optionValue(preset, option, given.get(option.name));
  return preset.build(options);
}

/**
 * The specification of a system, for model files and manifests.
 *
 * @throws UsageError if `systemFromSpec` could not build the same system from it
 */
export function systemSpec(system: System): SystemSpec {
  if (!isPreset(system)) {
    throw new UsageError(
      `system ${system.name}: not a preset, expected one of ${PRESETS.map((p) => p.name).join(', ')}: only these have a specification`,
    );
  }
  return { name: system.name, ...system.options };
}

/** Whether a system is what its name and options say, and not one that was composed. */
export function isPreset(system: System): boolean {
  const preset = PRESETS.find((candidate) => candidate.name === system.name);
  if (!preset?.options.every((option) => option.name in system.options)) return false;
  return sameEnergy(preset.build(system.options), system);
}

/** Whether two systems have the same particles and energy, whatever they are called and wherever their chains start. */
export function sameEnergy(a: System, b: System): boolean {
  return essence(a) === essence(b);
}

/** The presets, the options they take and what is known about them. */
export function listSystems(): SystemListing[] {
  return PRESETS.map(({ name, options, variants, build }) => {
    const systems = variants.map((variant) => ({ spec: specText(name, variant), system: build(variant) }));
    return { name, particles: systems[0].system.particles, options, variants: systems };
  });
}

function specText(name: string, options: Readonly<Record<string, number>>): string {
  const settings = Object.entries(options).map(([option, value]) => `${option}=${value}`);
  return settings.length === 0 ? name : `${name}:${settings.join(',')}`;
}

/** What makes two systems the same. */
function essence({ particles, dimensions, species, terms }: System): string {
  return JSON.stringify({ particles, dimensions, species, terms });
}

interface ParsedSpec {
  readonly name: string;
  readonly given: ReadonlyMap<string, unknown>;
}

function parseSpec(spec: string): ParsedSpec {
  const colon = spec.indexOf(':');
  if (colon < 0) return { name: spec, given: new Map() };
  const given = new Map<string, unknown>();
  for (const setting of spec.slice(colon + 1).split(',')) {
    const [option, text, ...more] = setting.split('=').map((part) => part.trim());
    if (option === '' || text === undefined || text === '' || more.length > 0) {
      throw new UsageError(
        `system '${spec}': cannot read '${setting}', expected option=number, as in lj13:pairFactor=2`,
      );
    }
    if (given.has(option)) throw new UsageError(`system '${spec}': option '${option}' given twice, expected once`);
    const value = Number(text);
    given.set(option, Number.isNaN(value) ? text : value);
  }
  return { name: spec.slice(0, colon).trim(), given };
}

function objectSpec(spec: SystemSpec): ParsedSpec {
  // Specifications come from files as well, where anything may stand.
  if (typeof spec !== 'object' || spec === null || typeof spec.name !== 'string') {
    throw new UsageError(`system: ${brief(spec)}, expected an object with a name, as {"name": "dw4"}`);
  }
  const { name, ...options } = spec;
  return { name, given: new Map(Object.entries(options)) };
}

function optionValue(preset: Preset, option: PresetOption, given: unknown): number {
  const expected = option.values?.join(' or ') ?? 'a positive number';
  if (given === undefined) {
    if (option.default !== undefined) return option.default;
    throw new UsageError(
      `system ${preset.name}: ${option.name} is missing, expected ${expected}, as in ${preset.name}:${option.name}=2. ` +
        `It is the ${option.description}.`,
    );
  }
  const valid =
    typeof given === 'number' && (option.values ? option.values.includes(given) : given > 0 && Number.isFinite(given));
  if (!valid) {
    throw new UsageError(`system ${preset.name}: ${option.name} ${brief(given)}, expected ${expected}`);
  }
  return given;
}
