import test from 'ava';
import { initialKernelField, uniformBasis } from '../../src/fields/index.js';
import { StageCache } from '../../src/integrators/stage-cache.js';
import { Kernels } from '../../src/kernels/index.js';

function prepared() {
  const kernels = new Kernels();
  const field = initialKernelField(4, 2, uniformBasis(10, 8, 0.5), { seed: 1 });
  return { kernels, field: field.prepare(kernels, 'f64', new Float64Array(1)) };
}

const TIMES = Array.from({ length: 40 }, (_, i) => ((i * 7) % 40) / 40);

test('stages are the same bytes whether they were kept, made anew, or made with all others', (t) => {
  const { kernels, field } = prepared();
  const roomy = new StageCache(kernels, field, 5);
  const tight = new StageCache(kernels, field, 5, 6 * field.stageBytes);
  const bytes = (offset: number) => kernels.u8View(offset, field.stageBytes).slice();
  for (let round = 0; round < 3; round++) {
    for (let i = 0; i + 5 <= TIMES.length; i += 2) {
      const times = TIMES.slice(i, i + 5);
      const [kept, anew] = [roomy.at(times), tight.at(times)];
      t.is(new Set(anew).size, 5, 'stages that are asked for together do not share their room');
      for (const [s, offset] of kept.entries()) t.deepEqual(bytes(offset), bytes(anew[s]));
    }
  }
  t.is(roomy.made, 39);
  t.true(tight.made > 2 * 39, 'made again');
});

test('the bound on bytes holds, and a bound below one step gives way to it', (t) => {
  const { kernels, field } = prepared();
  for (const [bound, stages] of [
    [8.5 * field.stageBytes, 8],
    [0, 5],
  ]) {
    const cache = new StageCache(kernels, field, 5, bound);
    const offsets = new Set(TIMES.flatMap((t) => cache.at([t])));
    t.is(offsets.size, stages);
  }
});
