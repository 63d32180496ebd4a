import test, { type ExecutionContext } from 'ava';
import { type Backend, loadBackend } from '../../../src/training/engines/tensorflow/backend.js';
import { TensorFlowEngine } from '../../../src/training/engines/tensorflow/engine.js';
import { probed } from '../../../src/training/engines/tensorflow/provider.js';
import type { TensorFlow } from '../../../src/training/engines/tensorflow/tensors.js';
import type { EngineName, EngineSettings, TrainingEngine } from '../../../src/training/index.js';

export const BACKENDS: readonly Backend[] = ['cpu', 'wasm', 'tensorflow'];

export interface BackendUnderTest {
  readonly backend: Backend;
  /** The way to declare a test of it: left out, with the reason in its title, where the backend is absent. */
  readonly declare: (title: string, body: (t: ExecutionContext) => Promise<void>) => void;
  load(): Promise<TensorFlow>;
  engine(settings: Pick<EngineSettings, 'flow' | 'target'>, chunkElements?: number): Promise<TensorFlowEngine>;
}

/** All backends, those that this machine lacks with tests that are skipped. */
export async function backendsUnderTest(): Promise<BackendUnderTest[]> {
  const found: BackendUnderTest[] = [];
  for (const backend of BACKENDS) {
    const probe = await probed(backend);
    const load = async () => (await loadBackend(backend)).tf;
    const name: EngineName = backend;
    found.push({
      backend,
      declare: (title, body) =>
        probe.available
          ? void test.serial(`${title}: ${backend}`, body)
          : void test.skip(`${title}: ${backend}, which is absent: ${probe.reason}`, body),
      load,
      engine: async (settings, chunkElements) =>
        new TensorFlowEngine(name, await load(), backend, settings, chunkElements),
    });
  }
  return found;
}

/** The losses that both engines have, by name, as one call each. */
export function lossesOf(
  x: Float64Array,
  n: number,
  steps: number,
): Record<string, (engine: TrainingEngine) => ReturnType<TrainingEngine['nllGradient']>> {
  const times = Float64Array.from([0.1, 0.45, 0.8]);
  const samples = { seed: 3, first: 0, n };
  return {
    'NLL with kinetic energy': (engine) => engine.nllGradient(x, n, steps, 0.2),
    'reverse KL, total': (engine) => engine.reverseKlGradient(samples, steps, { estimator: 'total', energyCap: 30 }),
    'reverse KL, path': (engine) => engine.reverseKlGradient(samples, steps, { estimator: 'path', energyCap: 30 }),
    'flow matching': (engine) => engine.velocityGradient({ times, x, velocity: x.map((v) => 1 - v * v), n }),
  };
}
