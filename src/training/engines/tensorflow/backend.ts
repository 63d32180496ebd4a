import { createRequire } from 'node:module';
import type { TensorFlow } from './tensors.js';

/** TensorFlow.js has three: the C library, WebAssembly and plain JavaScript. */
export type Backend = 'tensorflow' | 'wasm' | 'cpu';

/** Packages that offer each backend, the first that is installed is taken. */
export const BACKEND_PACKAGES: Readonly<Record<Backend, readonly string[]>> = {
  tensorflow: ['@tensorflow/tfjs-node-gpu', '@tensorflow/tfjs-node'],
  wasm: ['@tensorflow/tfjs-backend-wasm'],
  cpu: ['@tensorflow/tfjs'],
};

/** What a loaded backend says of itself. */
export interface BackendFacts {
  readonly package: string;
  readonly version: string;
  /** Version of the C library. */
  readonly library?: string;
  /** Whether the C library computes on a GPU. */
  readonly gpu: boolean;
}

// CommonJS, so that all of these packages share one tfjs-core, on which backends and gradients are registered.
const require = createRequire(import.meta.url);

/**
 * Loads a backend and makes it the current one. Native code that does not fit the machine ends the process: see
 * `probeBackend`, which tries it in another one.
 * @throws whatever the packages throw where they are absent or broken
 */
export async function loadBackend(backend: Backend): Promise<{ tf: TensorFlow; facts: BackendFacts }> {
  restoreNodeUtil();
  const name = installed(BACKEND_PACKAGES[backend]);
  // The backend for WebAssembly registers itself with the union package, which has the gradients.
  const own = require(name);
  const tf: TensorFlow = backend === 'wasm' ? require('@tensorflow/tfjs') : own;
  tf.enableProdMode();
  if (!(await tf.setBackend(backend))) throw new Error(`${name} does not start its backend '${backend}'`);
  await tf.ready();
  const native = tf.backend() as { isUsingGpuDevice?: boolean; binding?: { TF_Version?: string } };
  const library = backend === 'tensorflow' ? native.binding?.TF_Version : undefined;
  return {
    tf,
    facts: {
      package: name,
      version: require(`${name}/package.json`).version,
      ...(library === undefined ? {} : { library }),
      gpu: backend === 'tensorflow' && native.isUsingGpuDevice === true,
    },
  };
}

/** tfjs-node 4.22 calls two functions that Node.js 23 removed. */
function restoreNodeUtil(): void {
  const util = require('node:util');
  util.isNullOrUndefined ??= (value: unknown) => value === null || value === undefined;
  util.isArray ??= Array.isArray;
}

function installed(names: readonly string[]): string {
  for (const name of names) {
    try {
      require.resolve(name);
      return name;
    } catch {
      // The next one may be there.
    }
  }
  throw new Error(`${names.join(' or ')} is not installed`);
}
