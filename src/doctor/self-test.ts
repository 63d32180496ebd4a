import { initialKernelField, uniformBasis } from '../fields/index.js';
import { type BoltzmannGenerator, boltzmannGenerator, continuousFlow, prepareFlow } from '../flows/index.js';
import { rk4 } from '../integrators/index.js';
import type { Precision } from '../kernels/index.js';
import { meanFreeNormal } from '../priors/index.js';
import { logProb, sample } from '../sampling/index.js';
import { EnergyEvaluator, type System, systemFromSpec } from '../systems/index.js';
import { train } from '../training/index.js';
import { WorkerPool } from '../workers/index.js';

/** Outcome of one part of the self-test. */
export interface Check {
  readonly name: string;
  readonly passed: boolean;
  /** What was compared and how it came out, or the error's message. */
  readonly detail: string;
}

/** Milliseconds after which a part of the self-test is given up; on any machine it takes a second or two. */
const TIME_LIMIT = 60_000;

/** The known energies have twelve digits after the point; single precision has seven digits in all. */
const ENERGY_TOLERANCE: Readonly<Record<Precision, number>> = { f64: 1e-9, f32: 1e-4 };

/** Nats. The weak field's discretisation error at 20 steps is far below. */
const LOG_Q_TOLERANCE = 1e-6;

const SAMPLES = 256;
const SEED = 1;

/** Runs the kernels against known numbers, here and on a worker. Never rejects: what throws has failed. */
export async function selfTest(): Promise<Check[]> {
  const system = systemFromSpec('dw4');
  return [
    await check('energies', () => energies(system)),
    await check('sampling', () => onWorker((pool) => roundTrip(weakFlow(system), pool))),
    await check('training', () => onWorker((pool) => fewSteps(weakFlow(system), pool))),
  ];
}

type Outcome = Omit<Check, 'name'>;

async function check(name: string, body: () => Outcome | Promise<Outcome>): Promise<Check> {
  try {
    return { name, ...(await body()) };
  } catch (error) {
    return { name, passed: false, detail: (error as Error).message };
  }
}

async function onWorker<T>(body: (pool: WorkerPool) => Promise<T>): Promise<T> {
  const pool = new WorkerPool({ workers: 1 });
  try {
    return await body(pool);
  } finally {
    await pool.close();
  }
}

/** U of the known minima of DW4 in both lane types. */
function energies(system: System): Outcome {
  const minima = system.known.minima!;
  const x = Float64Array.from(minima.flatMap((minimum) => minimum.x));
  const errors = (['f64', 'f32'] as const).map((precision) => {
    const energy = new EnergyEvaluator(system, precision).energy(x, minima.length);
    return { precision, error: Math.max(...minima.map((minimum, m) => Math.abs(energy[m] - minimum.energy))) };
  });
  return {
    passed: errors.every(({ precision, error }) => error <= ENERGY_TOLERANCE[precision]),
    detail: `${minima.length} minima of ${system.name}, largest error ${errors
      .map(({ precision, error }) => `${error.toExponential(1)} in ${precision}`)
      .join(', ')}`,
  };
}

/** Weak enough that twenty integrator steps leave next to no discretisation error. */
function weakFlow(system: System): BoltzmannGenerator {
  const { particles, dimensions } = system;
  const field = initialKernelField(particles, dimensions, uniformBasis(50, 8, 0.5), { seed: SEED });
  return boltzmannGenerator(system, continuousFlow(meanFreeNormal(particles, dimensions), field, rk4(20)));
}

/** Samples of a worker are this thread's, byte for byte, and log q comes back through the inverse flow. */
async function roundTrip(generator: BoltzmannGenerator, pool: WorkerPool): Promise<Outcome> {
  const signal = AbortSignal.timeout(TIME_LIMIT);
  const drawn = await sample(generator, { n: SAMPLES, seed: SEED, precision: 'f64', signal }, pool);
  const here = prepareFlow(generator.flow, 'f64').sample(SEED, 0, SAMPLES);
  const same = (['x', 'logQ'] as const).every((key) => here[key].every((value, i) => Object.is(value, drawn[key][i])));
  const back = await logProb(generator, Float64Array.from(drawn.x), SAMPLES, pool, { signal });
  const error = Math.max(...back.map((value, i) => Math.abs(value - drawn.logQ[i])));
  return {
    passed: same && error <= LOG_Q_TOLERANCE,
    detail:
      `${SAMPLES} samples of a worker ${same ? 'equal' : 'differ from'} this thread's; ` +
      `log q there and back differs by at most ${error.toExponential(1)} nats`,
  };
}

/** Gradients point downhill: ten steps on the known minima lower their NLL. */
async function fewSteps(generator: BoltzmannGenerator, pool: WorkerPool): Promise<Outcome> {
  const minima = generator.target.known.minima!;
  const data = { x: Float64Array.from(minima.flatMap((minimum) => minimum.x)), n: minima.length };
  const options = { seed: SEED, steps: 10, validationInterval: 10, warmUpSteps: 0, learningRate: 0.01 };
  const { state } = await train(generator, data, data, options, pool, { signal: AbortSignal.timeout(TIME_LIMIT) });
  const [before, after] = [state.curve[0], state.curve[state.curve.length - 1]].map((point) => point.validationNll);
  return {
    passed: after < before,
    detail: `${options.steps} steps on the minima took the NLL from ${before.toFixed(2)} to ${after.toFixed(2)} nats`,
  };
}
