import test from 'ava';
import { InterruptedError, NumericalError, UsageError } from '../../src/errors.js';
import { logProb, type SampleSet, sample, taskSize } from '../../src/sampling/index.js';
import { EnergyEvaluator } from '../../src/systems/index.js';
import { openPool, untrained } from './generators.js';

const ARRAYS = ['x', 'logQ', 'energy', 'logWeight'] as const;

test('a sample depends on model, seed and index alone: ranges are parts of one stream', async (t) => {
  const pool = openPool(t, 2);
  const generator = untrained();
  const task = taskSize(generator);
  // Beyond one task, and cut where neither lanes nor tasks end.
  const n = task + 37;
  for (const precision of ['f32', 'f64'] as const) {
    const whole = await sample(generator, { n, seed: 9, precision }, pool);
    let from = 0;
    for (const size of [1, 2, task - 2, 36]) {
      const part = await sample(generator, { n: size, seed: 9, first: from, precision }, pool);
      for (const name of ARRAYS) {
        const width = whole[name].length / n;
        t.deepEqual(
          part[name],
          whole[name].slice(from * width, (from + size) * width) as never,
          `${name} from ${from}`,
        );
      }
      from += size;
    }
    t.is(from, n);
  }
});

test('indices beyond 32 bits have random numbers of their own', async (t) => {
  const pool = openPool(t, 1);
  const generator = untrained();
  const draw = (first: number) => sample(generator, { n: 4, seed: 1, first }, pool);
  const sets: SampleSet[] = [await draw(0), await draw(2 ** 32), await draw(2 ** 33)];
  t.is(new Set(sets.map(({ x }) => x.join())).size, 3);
});

test('energies are those of the stored positions and weights are -U/kT - log q', async (t) => {
  const kT = 1.5;
  const generator = untrained(8, kT);
  const { n, x, energy, logQ, logWeight, ...rest } = await sample(generator, { n: 100, seed: 2 }, openPool(t, 1));
  t.deepEqual(rest, { particles: 4, dimensions: 2, kT });
  t.true(x instanceof Float32Array);
  t.deepEqual(energy, new EnergyEvaluator(generator.target).energy(Float64Array.from(x), n));
  t.deepEqual(
    logWeight,
    energy.map((u, i) => -u / kT - logQ[i]),
  );
});

test('log q of sampling and of the inverse flow differ by the discretisation error alone, of fourth order', async (t) => {
  const pool = openPool(t, 2);
  const error = async (steps: number) => {
    const generator = untrained(steps);
    const { n, x, logQ } = await sample(generator, { n: 2000, seed: 3, precision: 'f64' }, pool);
    const back = await logProb(generator, x as Float64Array, n, pool);
    return back.reduce((sum, value, i) => sum + Math.abs(value - logQ[i]), 0) / n;
  };
  const [coarse, fine] = [await error(20), await error(40)];
  t.true(coarse < 1e-3, `${coarse}`);
  // 16 for an exact order of four; tables that are not smooth leave less.
  t.true(coarse / fine > 8, `${coarse} and ${fine}`);
});

test('log q is finite or refused by the sample’s number', async (t) => {
  const pool = openPool(t, 1);
  const x = Float64Array.from({ length: 24 }, (_, i) => Math.sin(3 * i));
  t.true((await logProb(untrained(), x, 3, pool)).every(Number.isFinite));
  await t.throwsAsync(logProb(untrained(), x.with(16, 1e200), 3, pool), {
    instanceOf: NumericalError,
    message: /^sample 2: log q is (NaN|-Infinity)/,
  });
});

test('what cannot be sampled is refused before work, naming the value', async (t) => {
  const pool = openPool(t, 1);
  const refused = async (options: { n: number; seed: number; first?: number }, message: RegExp) =>
    t.throwsAsync(sample(untrained(), options, pool), { instanceOf: UsageError, message });
  await refused({ n: 0, seed: 1 }, /n is 0, expected a positive integer/);
  await refused({ n: 1.5, seed: 1 }, /n is 1\.5/);
  await refused({ n: 1, seed: -1 }, /seed is -1, expected an integer from 0 to 4294967295/);
  await refused({ n: 1, seed: 1, first: -1 }, /range from -1/);
  await refused({ n: 2, seed: 1, first: Number.MAX_SAFE_INTEGER }, /not within the safe integers/);
  await t.throwsAsync(logProb(untrained(), new Float64Array(7), 1, pool), {
    instanceOf: UsageError,
    message: /x has 7 numbers, expected 1 times 8/,
  });
});

test('progress counts up to n, and an abort ends the run with InterruptedError', async (t) => {
  const pool = openPool(t, 2);
  const task = taskSize(untrained());
  const n = 3 * task - 5;
  const seen: number[] = [];
  await sample(untrained(), { n, seed: 1, onProgress: ({ done, total }) => seen.push(done, total) }, pool);
  t.deepEqual(seen, [task, n, 2 * task, n, n, n]);
  const controller = new AbortController();
  const stopped = sample(
    untrained(400),
    { n: 100 * taskSize(untrained(400)), seed: 1, signal: controller.signal, onProgress: () => controller.abort() },
    pool,
  );
  await t.throwsAsync(stopped, { instanceOf: InterruptedError });
});
