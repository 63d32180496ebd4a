import { DataError, EquiflowError } from '../errors.js';
import { DenseField, type Field, KernelField, type ParameterSet } from '../fields/index.js';
import { decodeSafetensors, encodeSafetensors } from '../formats/safetensors.js';
import { brief } from '../formats/text.js';
import { type Integrator, integratorFromDescription } from '../integrators/index.js';
import { type MeanFreeNormal, meanFreeNormal } from '../priors/index.js';
import { describeSystem, type System, systemFromDescription } from '../systems/index.js';
import { type BoltzmannGenerator, boltzmannGenerator } from './boltzmann-generator.js';
import { continuousFlow } from './continuous-flow.js';

/** What a model file says beside its tensors, as JSON under the safetensors metadata key `equiflow`. */
interface ModelDescription {
  readonly version: 1;
  readonly system: ReturnType<typeof describeSystem>;
  readonly prior: { readonly kind: 'mean-free-normal'; readonly scale: number; readonly kT?: number };
  readonly field: {
    readonly kind: Field['kind'];
    readonly particles: number;
    readonly dimensions: number;
    /** Of a kernel field with more than one species. */
    readonly species?: readonly number[];
  };
  readonly integrator: Integrator;
  readonly training?: unknown;
}

/** Model file (safetensors, F64) of a generator; `training` is any JSON that says how it came about. */
export function encodeModel({ prior, flow, target }: BoltzmannGenerator, training?: unknown): Uint8Array {
  const { field, integrator } = flow;
  const description: ModelDescription = {
    version: 1,
    system: describeSystem(target),
    prior: { kind: prior.kind, scale: prior.scale, kT: prior.kT },
    field: {
      kind: field.kind,
      particles: field.particles,
      dimensions: field.dimensions,
      ...(field.species && field.species.count > 1 ? { species: field.species.species } : {}),
    },
    integrator,
    ...(training === undefined ? {} : { training }),
  };
  const tensors = new Map(
    Object.entries(field.shapes).map(([name, shape]) => [name, { shape: [...shape], data: field.parameters[name] }]),
  );
  return encodeSafetensors(tensors, { equiflow: JSON.stringify(description) });
}

/**
 * Reads a model file. `source` names it in errors.
 * @throws DataError naming the field or tensor that is missing, of another kind, or out of range.
 */
export function decodeModel(bytes: Uint8Array, source: string): { generator: BoltzmannGenerator; training?: unknown } {
  const { tensors, metadata } = decodeSafetensors(bytes, source);
  if (metadata.equiflow === undefined) {
    throw new DataError(`${source}: not an equiflow model: its metadata has no 'equiflow' entry`);
  }
  const description = parseDescription(metadata.equiflow, source);
  const parameters: Record<string, Float64Array> = {};
  for (const [name, tensor] of tensors) parameters[name] = tensor.data;
  try {
    const { particles, dimensions } = description.field;
    const prior: MeanFreeNormal = meanFreeNormal(particles, dimensions, {
      scale: description.prior.scale,
      kT: description.prior.kT ?? 1,
    });
    const field = fieldOfKind(description.field, parameters);
    for (const [name, shape] of Object.entries(field.shapes)) {
      const found = tensors.get(name)?.shape ?? [];
      if (found.join() !== shape.join()) {
        throw new DataError(`tensor '${name}' has shape [${found}], expected [${shape}]`);
      }
    }
    const target: System = systemFromDescription(description.system, 'system');
    const flow = continuousFlow(prior, field, integratorFromDescription(description.integrator));
    const training = description.training;
    return { generator: boltzmannGenerator(target, flow), ...(training === undefined ? {} : { training }) };
  } catch (error) {
    // Whatever is wrong in a file is wrong data, whoever noticed it.
    if (error instanceof EquiflowError) throw new DataError(`${source}: ${error.message}`, { cause: error });
    throw error;
  }
}

function fieldOfKind(
  { kind, particles, dimensions, species }: ModelDescription['field'],
  parameters: ParameterSet,
): KernelField | DenseField {
  return kind === 'kernel'
    ? new KernelField(particles, dimensions, parameters, species)
    : new DenseField(particles, dimensions, parameters);
}

function parseDescription(json: string, source: string): ModelDescription {
  const fail = (what: string): never => {
    throw new DataError(`${source}: metadata 'equiflow': ${what}`);
  };
  let value: Record<string, Record<string, unknown>>;
  try {
    value = JSON.parse(json);
  } catch {
    return fail('not valid JSON');
  }
  if (typeof value !== 'object' || value === null) return fail('expected an object');
  if ((value.version as unknown) !== 1) fail(`version is ${brief(value.version)}, expected 1`);
  for (const key of ['system', 'prior', 'field', 'integrator']) {
    if (typeof value[key] !== 'object' || value[key] === null) fail(`'${key}' is missing`);
  }
  const expectOne = (path: string, found: unknown, allowed: readonly unknown[]) => {
    if (!allowed.includes(found)) {
      fail(`${path} is ${brief(found)}, expected ${allowed.map((a) => JSON.stringify(a)).join(' or ')}`);
    }
  };
  const expectNumber = (path: string, found: unknown) => {
    if (typeof found !== 'number') fail(`${path} is ${brief(found)}, expected a number`);
  };
  expectOne('prior.kind', value.prior.kind, ['mean-free-normal']);
  expectOne('field.kind', value.field.kind, ['kernel', 'dense']);
  expectNumber('prior.scale', value.prior.scale);
  if (value.prior.kT !== undefined) expectNumber('prior.kT', value.prior.kT);
  const { particles, species } = value.field;
  // Before anything of this many particles is made.
  if (!isCount(particles) || particles < 2 || particles > 10_000) {
    fail(`field.particles is ${brief(particles)}, expected an integer from 2 to 10000`);
  }
  expectOne('field.dimensions', value.field.dimensions, [2, 3]);
  if (
    species !== undefined &&
    !(Array.isArray(species) && species.length === particles && species.every((s) => isCount(s) && s < particles))
  ) {
    fail(`field.species is ${brief(species)}, expected a list of species numbers, one per particle`);
  }
  return value as unknown as ModelDescription;
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0;
}
