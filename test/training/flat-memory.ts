/* A process of its own: the bytes it holds after 2000 and after 10 000 training steps, resident and on its heaps. */
import { initialKernelField, uniformBasis } from '../../src/fields/index.js';
import { trainFlow } from '../../src/training/index.js';
import { flowThrough } from '../fields/reference-fields.js';
import { randomSource } from '../twin/random.js';

const flow = flowThrough(initialKernelField(2, 2, uniformBasis(60, 8, 0.8), { seed: 3 }), 3);
const data = { x: randomSource(4).normals(64), n: 16 };
const held: Record<string, { resident: number; heap: number }[]> = {};
for (const loss of ['likelihood', 'flow-matching'] as const) {
  held[loss] = [];
  const options = { seed: 5, steps: 10000, batchSize: 8, validationInterval: 500, learningRate: 1e-5, patience: 1e6 };
  await trainFlow(
    flow,
    data,
    data,
    { ...options, loss },
    {
      onStep: ({ step }) => {
        if (step !== 2000 && step !== 10000) return;
        (globalThis as { gc?: () => void }).gc!();
        const { rss, heapUsed, external } = process.memoryUsage();
        held[loss].push({ resident: rss, heap: heapUsed + external });
      },
    },
  );
}
process.stdout.write(JSON.stringify(held));
