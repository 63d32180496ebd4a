import type { BoltzmannGenerator } from '../flows/index.js';
import { type DormandPrince5, dopri5 } from '../integrators/index.js';
import { STREAM, scatteredIndices } from '../kernels/index.js';
import type { WorkerPool } from '../workers/index.js';
import { modelMessage, requireRange, type SampleOptions } from './sample.js';
import { type ErrorSummary, type Verification, verificationStatus } from './verification.js';
import type { VerifyBlock, VerifyBlockInput } from './verify-tasks.js';

/** What samples are measured with: an error of some 1e-8 nats, far below any that matters. */
const REFERENCE: DormandPrince5 = dopri5({ rtol: 1e-9, atolLogDet: 1e-7, maxSteps: 100_000 });

/** Samples per block of work: stages at tight tolerance are many, so that many samples share them. */
const BLOCK = 250;

const VERIFY_TASKS = new URL('./verify-tasks.js', import.meta.url);

/**
 * The discretisation error of samples of a generator: `m` of those that `sample` draws for the same options are drawn again
 * and integrated in f64 at tight tolerance, forward from the same prior samples and backward from their configurations.
 * Comparing `sample` with `logProb` instead would flatter: their leading errors are the same and cancel. The samples are
 * chosen at random, one from each m-th of the range, by the seed alone.
 *
 * @throws UsageError for a range out of bounds; NumericalError as `sample`, or where the exact flow cannot be integrated
 */
export async function verifySamples(
  generator: BoltzmannGenerator,
  options: SampleOptions & { readonly m?: number },
  pool: WorkerPool,
): Promise<Verification> {
  requireRange(options);
  const { n, seed, first = 0, precision = 'f32', arithmetic, m = 1000, onProgress, signal } = options;
  const indices = scatteredIndices(seed, STREAM.verification, n, Math.min(m, n)).map((index) => first + index);
  const model = modelMessage(generator, precision, arithmetic);
  const inputs: VerifyBlockInput[] = [];
  for (let at = 0; at < indices.length; at += BLOCK) {
    inputs.push({ model, seed, indices: indices.slice(at, at + BLOCK), reference: REFERENCE });
  }
  const task = { module: VERIFY_TASKS, name: 'verifyBlock' };
  const blocks: VerifyBlock[] = [];
  let done = 0;
  for await (const block of pool.map<VerifyBlockInput, VerifyBlock>(task, inputs, signal ? { signal } : {})) {
    blocks.push(block);
    done += block.logQ.length;
    onProgress?.({ stage: 'verifying', done, total: indices.length });
  }
  const joined = (part: keyof VerifyBlock) => blocks.flatMap((block) => [...block[part]]);
  const [logQ, logWeight] = [joined('logQ'), joined('logWeight')];
  const weights = effectOnWeights(logWeight, logQ);
  const facts = {
    samples: indices.length,
    logQ: summary(logQ),
    forward: { logQ: summary(joined('forwardLogQ')), x: summary(joined('x')) },
    referenceError: summary(joined('roundTrip')).max,
    ...weights,
  };
  return {
    ...facts,
    reference: { integrator: REFERENCE, precision: 'f64' },
    status: verificationStatus(facts, generator.flow.integrator, precision),
  };
}

function summary(errors: readonly number[]): ErrorSummary {
  let [sum, squares, max] = [0, 0, 0];
  for (const error of errors) {
    sum += error;
    squares += error * error;
    max = Math.max(max, Math.abs(error));
  }
  return { mean: sum / errors.length, rms: Math.sqrt(squares / errors.length), max };
}

/** What log q being too large by `errors` did to the sum of weights and to its effective size. */
function effectOnWeights(logWeight: readonly number[], errors: readonly number[]) {
  const exact = logWeight.map((value, i) => value + errors[i]);
  const [reported, corrected] = [weightSums(logWeight), weightSums(exact)];
  return { logZShift: corrected.logSum - reported.logSum, essRatio: corrected.ess / reported.ess };
}

function weightSums(logWeight: readonly number[]): { logSum: number; ess: number } {
  const largest = logWeight.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  let [sum, squares] = [0, 0];
  for (const value of logWeight) {
    const weight = Math.exp(value - largest);
    sum += weight;
    squares += weight * weight;
  }
  return { logSum: largest + Math.log(sum), ess: (sum * sum) / squares };
}
