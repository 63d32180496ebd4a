import { UnavailableError, UsageError } from '../../errors.js';
import type { Field } from '../../fields/index.js';
import {
  ENGINE_NAMES,
  type EngineChoice,
  type EngineDemand,
  type EngineFinding,
  type EngineName,
  type EngineProvider,
  type EngineSettings,
  type TrainingEngine,
} from './engine.js';
import { kernelsProvider } from './kernels-engine.js';
import {
  tensorflowCpuProvider,
  tensorflowGpuProvider,
  tensorflowProvider,
  tensorflowWasmProvider,
} from './tensorflow/provider.js';

/** All engines, in the order in which `auto` prefers them. A new engine is a file here and a line in this list. */
const PROVIDERS: readonly EngineProvider[] = [
  tensorflowGpuProvider,
  kernelsProvider,
  tensorflowProvider,
  tensorflowWasmProvider,
  tensorflowCpuProvider,
];

/** The engine of a run and why it is the one, as a model file records it. */
export interface ChosenEngine {
  readonly name: EngineName;
  readonly reason: string;
}

/** Pairs of particles, or input weights of a dense field, times the samples of a batch: what the kernels' time goes with. */
export function stepWork({ kind, particles, dimensions, parameters }: Field, samples: number): number {
  const perSample =
    kind === 'dense' ? parameters.hiddenBias.length * particles * dimensions : (particles * (particles - 1)) / 2;
  return samples * perSample;
}

/**
 * Finds the engine to train with: the one that is asked for by name, or with `auto` the first in order of preference that
 * this machine has and that suits the run.
 * @throws UnavailableError where an engine asked for by name is absent: nothing else takes its place.
 * @throws UsageError where it has not the precision that is asked for.
 */
export async function chooseEngine(
  choice: EngineChoice,
  { work = Number.POSITIVE_INFINITY, precision = 'f32' }: EngineDemand = {},
): Promise<ChosenEngine> {
  if (choice !== 'auto') {
    const { find, f32Only } = providerOf(choice);
    if (f32Only && precision === 'f64') throw new UsageError(`engine ${choice}: precision is f64, expected f32`);
    const { available, reason } = await find();
    if (!available) throw new UnavailableError(`engine ${choice}: ${reason}`);
    return { name: choice, reason: `asked for by name; ${reason}` };
  }
  const missing: string[] = [];
  for (const { name, find, worthwhileWork = 0, f32Only } of PROVIDERS) {
    if (f32Only && precision === 'f64') missing.push(`${name} passed over: no f64`);
    else if (work < worthwhileWork) {
      missing.push(`${name} passed over: ${work} pairs or weights in a batch, worth it from ${worthwhileWork}`);
    } else {
      const { available, reason } = await find();
      if (available) return { name, reason: [reason, ...missing].join('; ') };
      missing.push(`no ${name}: ${reason}`);
    }
  }
  throw new UnavailableError(`no training engine: ${missing.join('; ')}`);
}

/** All engines in order of preference, with what was found of them; those with native code are tried in processes of their own. */
export async function surveyEngines(): Promise<(EngineFinding & { readonly name: EngineName })[]> {
  const found: (EngineFinding & { readonly name: EngineName })[] = [];
  for (const { name, find } of PROVIDERS) found.push({ name, ...(await find()) });
  return found;
}

/** Makes an engine that `chooseEngine` found. */
export async function createEngine(name: EngineName, settings: EngineSettings): Promise<TrainingEngine> {
  return providerOf(name).create(settings);
}

function providerOf(name: EngineName): EngineProvider {
  const provider = PROVIDERS.find((candidate) => candidate.name === name);
  if (provider === undefined) throw new UsageError(`engine is ${name}, expected auto, ${ENGINE_NAMES.join(', ')}`);
  return provider;
}
