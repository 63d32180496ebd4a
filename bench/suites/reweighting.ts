/* Weights to estimates: one pass over ten million, Pareto smoothing, MBAR. */
import { STREAM, standardNormals } from '../../src/kernels/index.js';
import { mbar, smoothedLogWeights } from '../../src/reweighting/index.js';
import { reweight, vectorInMemory } from '../../src/sampling/index.js';
import { WorkerPool } from '../../src/workers/index.js';
import { SEED } from '../cases.js';
import type { Measurement } from '../measurement.js';
import { type Contender, inProcess, measured, QUICK_ROUNDS, SHORT_ROUNDS, takeTurns } from '../rounds.js';
import type { Bench, Suite } from './suite.js';

/** Standard deviation of the log-weights: an effective share of e^−σ² = 37 %. */
const SPREAD = 1;
/** The log Z by which a pass is checked: ½σ² for energies σ·z and log q = 0. */
const LOG_Z = SPREAD ** 2 / 2;
const STATES = 5;

function normals(n: number): Float64Array {
  return standardNormals(SEED, STREAM.prior, 0, n, 1);
}

/** One pass over energies and log q on all workers. */
async function onePass(n: number, pool: WorkerPool): Promise<Contender> {
  const energy = vectorInMemory({ data: normals(n).map((z) => SPREAD * z) });
  const logQ = vectorInMemory({ data: new Float64Array(n) });
  const pass = async () => (await reweight({ energy, logQ }, {}, pool)).report.logZ;
  const { value, standardError } = await pass();
  if (!(Math.abs(value - LOG_Z) < 6 * standardError))
    throw new Error(`reweighting: log Z is ${value}, expected ${LOG_Z}`);
  return {
    name: `equiflow, ${pool.workers} ${pool.workers === 1 ? 'worker' : 'workers'}`,
    units: n,
    call: async () => {
      const start = performance.now();
      await pass();
      return { wall: (performance.now() - start) / 1e3, cpu: Number.NaN };
    },
  };
}

/** MBAR between harmonic oscillators of five stiffnesses, `n` samples each. */
function oscillators(n: number): Contender {
  const stiffness = Array.from({ length: STATES }, (_, k) => 2 ** k);
  const x = normals(STATES * n).map((z, i) => z / Math.sqrt(stiffness[Math.floor(i / n)]));
  const energies = stiffness.map((s) => x.map((v) => (s * v * v) / 2));
  const counts = stiffness.map(() => n);
  const difference = mbar(energies, counts).difference(0, STATES - 1);
  const exact = Math.log(stiffness[STATES - 1] / stiffness[0]) / 2;
  if (!(Math.abs(difference.value - exact) < 6 * difference.standardError)) {
    throw new Error(`MBAR: free-energy difference ${difference.value}, expected ${exact}`);
  }
  return inProcess('equiflow', STATES * n, () => mbar(energies, counts));
}

/** Pareto-smoothed weights e^z of normal z, under which the mean of z is 1. */
function smoothing(n: number): Contender {
  const z = normals(n);
  const w = smoothedLogWeights(z).logWeight.map(Math.exp);
  const mean = w.reduce((sum, weight, i) => sum + weight * z[i], 0);
  const standardError = Math.sqrt(w.reduce((sum, weight, i) => sum + (weight * (z[i] - mean)) ** 2, 0));
  if (!(Math.abs(mean - SPREAD) < 6 * standardError)) {
    throw new Error(`smoothed weights: weighted mean ${mean}, expected ${SPREAD}`);
  }
  return inProcess('equiflow', n, () => smoothedLogWeights(z));
}

export const reweighting: Suite = {
  name: 'reweighting',
  about: 'log Z, ESS and k̂ in one pass; PSIS; MBAR',
  async run({ quick, onMeasurement, cores }: Bench) {
    const effort = quick ? QUICK_ROUNDS : SHORT_ROUNDS;
    const measurements: Measurement[] = [];
    const add = async (contenders: Contender[], group: string, subject: string, clock?: true) => {
      const times = await takeTurns(contenders, effort, clock);
      for (const m of measured(contenders, times, { group, subject, unit: 'weight', ...(clock ? { clock } : {}) })) {
        measurements.push(m);
        onMeasurement(m);
      }
    };
    const n = quick ? 1_000_000 : 10_000_000;
    const pools = [1, 2].filter((workers) => workers <= cores).map((workers) => new WorkerPool({ workers }));
    try {
      const contenders: Contender[] = [];
      for (const pool of pools) contenders.push(await onePass(n, pool));
      await add(
        contenders,
        'one pass: ESS, k̂, log Z, entropies, by the clock',
        `${n.toLocaleString('en')} weights`,
        true,
      );
    } finally {
      await Promise.all(pools.map((pool) => pool.close()));
    }
    await add([smoothing(1_000_000)], 'Pareto-smoothed weights, one thread', '1,000,000 weights');
    await add([oscillators(10_000)], 'MBAR with its covariance, one thread', `${STATES} states, 10,000 samples each`);
    return { measurements, notes: [], skipped: [] };
  },
};
