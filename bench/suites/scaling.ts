/* How times grow: with particles, batch, integration steps and workers, as exponents of fitted power laws. */
import { initialKernelField, uniformBasis } from '../../src/fields/index.js';
import { boltzmannGenerator, continuousFlow, prepareFlow } from '../../src/flows/index.js';
import { rk4 } from '../../src/integrators/index.js';
import { STREAM, standardNormals } from '../../src/kernels/index.js';
import { sample } from '../../src/sampling/index.js';
import { WorkerPool } from '../../src/workers/index.js';
import { type KernelFieldParameters, kernelField } from '../../test/twin/kernel-field.js';
import { SEED } from '../cases.js';
import { fitExponent } from '../fit.js';
import { rightHandSide, STAGE_TIME } from '../kernel-calls.js';
import type { Measurement } from '../measurement.js';
import { type Contender, inProcess, measured, QUICK_ROUNDS, SHORT_ROUNDS, takeTurns } from '../rounds.js';
import type { Bench, Suite } from './suite.js';

const PARTICLES = [4, 8, 13, 26, 55, 110, 250, 500];
const BATCHES = [16, 64, 256, 1024, 4096];
const STEPS = [5, 10, 20, 40, 80];
/** Coordinates of all samples of a call, so that calls of any N take about as long. */
const COORDINATES = 8192;
/** Of the divergence in f32, relative. */
const BOUND = 1e-3;

/**
 * A field in three dimensions on clusters of constant density.
 * @throws Error when the kernel's divergence is not the exact field's
 */
function cluster(particles: number): Contender {
  const field = initialKernelField(particles, 3, uniformBasis(50, 8, 0.5), { seed: SEED });
  const n = Math.max(4, Math.floor(COORDINATES / (3 * particles)) & ~3);
  const size = Math.cbrt(particles / 13);
  const x = standardNormals(SEED, STREAM.prior, 0, n, 3 * particles).map((value) => value * size);
  const { units, run } = rightHandSide(field, 'f32', x);
  const parameters = field.parameters as unknown as KernelFieldParameters;
  const { divergence } = kernelField(parameters, STAGE_TIME, x.subarray(0, 3 * particles), particles, 3);
  const error = Math.abs(run() / divergence - 1);
  if (!(error < BOUND)) {
    throw new Error(`scaling: divergence of ${particles} particles: error ${error.toExponential(1)}, bound ${BOUND}`);
  }
  return inProcess(String(particles), units, run);
}

interface Study {
  readonly group: string;
  readonly subject: (n: string) => string;
  readonly unit: string;
  readonly contenders: readonly Contender[];
  readonly clock?: true;
  /** What time is proportional to, and the exponent that is to be expected of it. */
  readonly against: string;
  readonly expected: string;
}

function studies({ cases }: Bench, pools: readonly WorkerPool[]): Study[] {
  const [c] = cases;
  const generator = boltzmannGenerator(c.system, c.flow);
  const n = 1 << 17;
  return [
    {
      group: 'velocity + divergence by number of particles, f32',
      subject: (size) => `N = ${size}`,
      unit: 'sample',
      contenders: PARTICLES.map(cluster),
      against: 'particles',
      expected: '2 from pairs',
    },
    {
      group: 'DW4 sampling by batch, f32',
      subject: (size) => `batch ${size}`,
      unit: 'batch',
      contenders: BATCHES.map((batch) => inProcess(String(batch), 1, () => c.runners.f32.sample(SEED, 0, batch))),
      against: 'batch',
      expected: '1; less where small batches cost extra',
    },
    {
      group: 'DW4 sampling by Runge–Kutta steps, f32, batch 1000',
      subject: (size) => `${size} steps`,
      unit: 'sample',
      contenders: STEPS.map((steps) => {
        const runner = prepareFlow(continuousFlow(c.flow.prior, c.field, rk4(steps)), 'f32');
        return inProcess(String(steps), 1000, () => runner.sample(SEED, 0, 1000));
      }),
      against: 'steps',
      expected: '1',
    },
    {
      group: 'DW4 sampling by workers, f32, by the clock',
      subject: (size) => `${size} ${size === '1' ? 'worker' : 'workers'}`,
      unit: 'sample',
      clock: true,
      contenders: pools.map((pool) => ({
        name: String(pool.workers),
        units: n,
        call: async () => {
          const start = performance.now();
          await sample(generator, { n, seed: SEED }, pool);
          return { wall: (performance.now() - start) / 1e3, cpu: Number.NaN };
        },
      })),
      against: 'workers',
      expected: '−1 up to the number of cores',
    },
  ];
}

export const scaling: Suite = {
  name: 'scaling',
  about: 'growth with particles, batch, steps and workers',
  async run(bench: Bench) {
    // Workers beyond the cores share them: nothing is learnt, and two points give no exponent.
    const pools = [1, 2, 4]
      .filter((workers) => workers === 1 || workers <= bench.cores)
      .map((workers) => new WorkerPool({ workers }));
    const measurements: Measurement[] = [];
    const notes: string[] = [];
    try {
      for (const { group, subject, unit, contenders, clock, against, expected } of studies(bench, pools)) {
        const times = await takeTurns(contenders, bench.quick ? QUICK_ROUNDS : SHORT_ROUNDS, clock);
        const what = { group, subject: '', unit, ...(clock ? { clock } : {}) };
        for (const m of measured(contenders, times, what)) {
          measurements.push({ ...m, subject: subject(m.contender), contender: 'equiflow' });
          bench.onMeasurement(measurements.at(-1)!);
        }
        const points = contenders.map(({ name }, i) => ({ n: Number(name), t: times[i].median }));
        if (points.length < 3) {
          notes.push(
            ...points
              .slice(1)
              .map(({ n, t }) => `${n} ${against} are ${(points[0].t / t).toFixed(2)} times as fast as one.`),
          );
          continue;
        }
        const { value, standardError } = fitExponent(points);
        const range = `${points[0].n} to ${points.at(-1)!.n}`;
        notes.push(
          `Time grows as ${against}^(${value.toFixed(2)} ± ${standardError.toFixed(2)}) from ${range}; expected ${expected}.`,
        );
      }
    } finally {
      await Promise.all(pools.map((pool) => pool.close()));
    }
    return { measurements, notes, skipped: [] };
  },
};
