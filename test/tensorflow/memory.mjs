/*
 * Memory over many training steps on TensorFlow.js, at a tiny size: node --expose-gc test/tensorflow/memory.mjs <backend>.
 * Prints tensors, their bytes and the process's memory every tenth of the way, after a collection.
 */

import { continuousFlow, initialKernelField, meanFreeNormal, rk4, uniformBasis } from '../../dist/src/index.js';
import { loadBackend } from '../../dist/src/training/engines/tensorflow/backend.js';
import { createEngine } from '../../dist/src/training/index.js';

const STEPS = 10_000;

const backend = process.argv[2] ?? 'cpu';
const { tf } = await loadBackend(backend);
const field = initialKernelField(3, 2, uniformBasis(5, 6, 1), { seed: 1, weightScale: 1 });
const flow = continuousFlow(meanFreeNormal(3, 2), field, rk4(2));
const engine = await createEngine(backend, { flow, precision: 'f32' });
const x = Float64Array.from({ length: 4 * 6 }, (_, i) => Math.sin(7 * i));

console.log('step   tensors  bytes  resident MB  heap MB  external MB');
for (let step = 0; step <= STEPS; step++) {
  await engine.update(field.parameters);
  await engine.nllGradient(x, 4, 2, 0);
  if (step % (STEPS / 10) !== 0) continue;
  globalThis.gc();
  const { numTensors, numBytes } = tf.memory();
  const { rss, heapUsed, external } = process.memoryUsage();
  const megabytes = [rss, heapUsed, external].map((bytes) => (bytes / 1e6).toFixed(1));
  console.log([`${step}`.padEnd(6), numTensors, numBytes, ...megabytes].join('  '));
}
await engine.dispose();
