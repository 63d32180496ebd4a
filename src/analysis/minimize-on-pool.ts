import type { Progress } from '../progress.js';
import type { System } from '../systems/index.js';
import type { WorkerPool } from '../workers/index.js';
import type { Minimization } from './minimize.js';
import type { MinimizeBlockInput } from './tasks.js';

const TASKS = new URL('./tasks.js', import.meta.url);
const BLOCK = 1024;

/** Minimises configurations [n, N, D] to a gradient norm of 1e-6, block by block on the pool. See `minimize`. */
export async function minimizeOnPool(
  system: System,
  x: Float32Array | Float64Array,
  n: number,
  pool: WorkerPool,
  { onProgress, signal }: { onProgress?: Progress; signal?: AbortSignal } = {},
): Promise<Minimization> {
  const C = system.particles * system.dimensions;
  const inputs: MinimizeBlockInput[] = [];
  for (let start = 0; start < n; start += BLOCK) {
    const count = Math.min(BLOCK, n - start);
    inputs.push({ system, x: Float64Array.from(x.subarray(start * C, (start + count) * C)), n: count });
  }
  const all: Minimization = {
    x: new Float64Array(n * C),
    energy: new Float64Array(n),
    gradientNorm: new Float64Array(n),
    iterations: new Int32Array(n),
    converged: new Uint8Array(n),
  };
  let done = 0;
  const task = { module: TASKS, name: 'minimizeBlock' };
  for await (const block of pool.map<MinimizeBlockInput, Minimization>(task, inputs, signal ? { signal } : {})) {
    all.x.set(block.x, done * C);
    all.energy.set(block.energy, done);
    all.gradientNorm.set(block.gradientNorm, done);
    all.iterations.set(block.iterations, done);
    all.converged.set(block.converged, done);
    done += block.energy.length;
    onProgress?.({ stage: 'minimising', done, total: n });
  }
  return all;
}
