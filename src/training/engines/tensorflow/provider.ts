import { UnavailableError } from '../../../errors.js';
import type { EngineFinding, EngineName, EngineProvider } from '../engine.js';
import { type Backend, loadBackend } from './backend.js';
import { TensorFlowEngine } from './engine.js';
import { type Probe, probeBackend } from './probe.js';

/**
 * Work of a step from which a GPU can pay. A step of twenty integrator steps is some 19 000 operations, which take 0.1 to
 * 0.3 s to issue from Node.js whatever they do; the kernels do a million pairs in about that time.
 */
const GPU_WORK = 2 ** 20;

const probes = new Map<Backend, Promise<Probe>>();

/** What came of trying a backend, once a process. */
export function probed(backend: Backend): Promise<Probe> {
  const probe = probes.get(backend) ?? probeBackend(backend);
  probes.set(backend, probe);
  return probe;
}

/** A probe in words: what was found, or why nothing was and how to get it. */
export function describeProbe(probe: Probe): string {
  if (!probe.available) return `${probe.reason}. To get it: ${probe.remedy}`;
  const { package: name, version, library, gpu } = probe.facts;
  const what = library === undefined ? '' : ` with TensorFlow ${library}${gpu ? ' on a GPU' : ''}`;
  return `${name} ${version}${what}${probe.note === undefined ? '' : ` ${probe.note}`}`;
}

function provider(name: EngineName, backend: Backend): EngineProvider {
  return {
    name,
    f32Only: true,
    async find(): Promise<EngineFinding> {
      const probe = await probed(backend);
      return { available: probe.available, reason: describeProbe(probe) };
    },
    async create(settings) {
      const { tf } = await loadBackend(backend).catch((error) => {
        throw new UnavailableError(`engine ${name}: ${error.message}`, { cause: error });
      });
      return new TensorFlowEngine(name, tf, backend, settings);
    },
  };
}

/** TensorFlow's C library, on a GPU if it has one. */
export const tensorflowProvider = provider('tensorflow', 'tensorflow');

/** The same where it has a GPU. */
export const tensorflowGpuProvider: EngineProvider = {
  ...provider('tensorflow-gpu', 'tensorflow'),
  worthwhileWork: GPU_WORK,
  async find() {
    const probe = await probed('tensorflow');
    return { available: probe.available && probe.facts.gpu, reason: describeProbe(probe) };
  },
};

export const tensorflowWasmProvider = provider('wasm', 'wasm');

export const tensorflowCpuProvider = provider('cpu', 'cpu');
