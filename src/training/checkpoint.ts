import { DataError } from '../errors.js';
import type { ParameterSet } from '../fields/index.js';
import { decodeSafetensors, encodeSafetensors, type Tensor } from '../formats/index.js';
import type { AdamState } from './optimizer.js';
import type { TrainingOptions } from './options.js';
import type { LearningCurvePoint, TrainingState } from './state.js';

/** What a run has to have in common with a checkpoint that it goes on from. */
export interface CheckpointContext {
  /** SHA-256 of the initial model file. */
  readonly model: string;
  /** SHA-256 of the training and validation configurations. */
  readonly data: string;
  readonly options: Partial<TrainingOptions> & { seed: number };
}

interface CheckpointDescription {
  readonly version: 1;
  readonly kind: 'checkpoint';
  readonly context: CheckpointContext;
  readonly step: number;
  readonly updates: number;
  readonly bestUpdates: number;
  readonly best: { readonly step: number; readonly validationLoss: number; readonly validationNll: number };
  readonly skipped: number;
  readonly tableResolution?: number;
  readonly learningRateScale: number;
  readonly curve: readonly LearningCurvePoint[];
  readonly pending: { readonly sum: number; readonly count: number };
}

/** Parts of a state that hold tensors, and the prefix under which a checkpoint keeps them. */
const PREFIXES = ['parameters', 'average', 'first', 'second', 'best.parameters', 'best.first', 'best.second'] as const;
type Prefix = (typeof PREFIXES)[number];

/** A checkpoint file (safetensors, F64): everything that `TrainingState` holds, to the last bit. */
export function encodeCheckpoint(state: TrainingState, context: CheckpointContext): Uint8Array {
  const { best } = state;
  const parts: Record<Prefix, ParameterSet> = {
    parameters: state.parameters,
    average: state.average ?? {},
    first: state.adam.first,
    second: state.adam.second,
    'best.parameters': best.parameters,
    'best.first': best.adam.first,
    'best.second': best.adam.second,
  };
  const tensors = new Map<string, Tensor>();
  for (const prefix of PREFIXES) {
    for (const [name, data] of Object.entries(parts[prefix])) {
      tensors.set(`${prefix}/${name}`, { shape: [data.length], data });
    }
  }
  const description: CheckpointDescription = {
    version: 1,
    kind: 'checkpoint',
    context,
    step: state.step,
    updates: state.adam.updates,
    bestUpdates: best.adam.updates,
    best: { step: best.step, validationLoss: best.validationLoss, validationNll: best.validationNll },
    skipped: state.skipped,
    ...(state.tableResolution === undefined ? {} : { tableResolution: state.tableResolution }),
    learningRateScale: state.learningRateScale,
    curve: state.curve,
    pending: state.pending,
  };
  return encodeSafetensors(tensors, { equiflow: JSON.stringify(description) });
}

/**
 * Reads a checkpoint and makes sure that it belongs to this run.
 * @throws DataError if it is none, or was made from another model, other data or other options.
 */
export function decodeCheckpoint(bytes: Uint8Array, source: string, expected: CheckpointContext): TrainingState {
  const { tensors, metadata } = decodeSafetensors(bytes, source);
  let description: CheckpointDescription;
  try {
    description = JSON.parse(metadata.equiflow ?? '{}');
  } catch {
    throw new DataError(`${source}: metadata 'equiflow' is not valid JSON`);
  }
  if (description?.kind !== 'checkpoint' || description.version !== 1) {
    throw new DataError(`${source}: not a training checkpoint of this version of equiflow`);
  }
  for (const part of ['model', 'data', 'options'] as const) {
    const [found, wanted] = [description.context?.[part], expected[part]].map((value) => JSON.stringify(value));
    if (found !== wanted) throw new DataError(`${source}: made with other ${part} (${found}), this run has ${wanted}`);
  }
  const parts = Object.fromEntries(PREFIXES.map((prefix) => [prefix, {}])) as Record<
    Prefix,
    Record<string, Float64Array>
  >;
  for (const [key, { data }] of tensors) {
    const slash = key.indexOf('/');
    const part = parts[key.slice(0, slash) as Prefix];
    if (part === undefined) throw new DataError(`${source}: unknown tensor '${key}'`);
    part[key.slice(slash + 1)] = data;
  }
  const adamOf = (first: Prefix, second: Prefix, updates: number): AdamState => ({
    first: parts[first],
    second: parts[second],
    updates,
  });
  return {
    step: description.step,
    parameters: parts.parameters,
    ...(Object.keys(parts.average).length > 0 ? { average: parts.average } : {}),
    adam: adamOf('first', 'second', description.updates),
    best: {
      ...description.best,
      parameters: parts['best.parameters'],
      adam: adamOf('best.first', 'best.second', description.bestUpdates),
    },
    skipped: description.skipped,
    ...(description.tableResolution === undefined ? {} : { tableResolution: description.tableResolution }),
    learningRateScale: description.learningRateScale,
    curve: description.curve,
    pending: description.pending,
  };
}
