/* What the workers run to verify samples: drawing some of them again and measuring them with a reference integrator. */

import { decodeModel, type FlowRunner, type Positions, prepareFlow } from '../flows/index.js';
import type { Integrator } from '../integrators/index.js';
import { logDensityOfSquaredNorm } from '../priors/index.js';
import { draw, type ModelMessage } from './tasks.js';

export interface VerifyBlockInput {
  readonly model: ModelMessage;
  readonly seed: number;
  /** Global indices of samples. */
  readonly indices: readonly number[];
  readonly reference: Integrator;
}

/** Errors of samples, each an array with one number a sample; see `Verification`. */
export interface VerifyBlock {
  readonly logQ: Float64Array;
  readonly forwardLogQ: Float64Array;
  /** Root mean square over coordinates. */
  readonly x: Float64Array;
  /** Of the reference: there minus back. */
  readonly roundTrip: Float64Array;
  /** As `sample` gives them. */
  readonly logWeight: Float64Array;
}

let prepared: { readonly key: string; readonly runner: FlowRunner } | undefined;

/** @throws NumericalError where a sample cannot be drawn or its exact flow not be integrated */
export function verifyBlock({ model, seed, indices, reference }: VerifyBlockInput): VerifyBlock {
  const exact = referenceFor(model, reference);
  const { prior } = exact.flow;
  const n = indices.length;
  const drawn = indices.map((index) => draw({ model, seed, first: index, n: 1 }));
  const x = joined(drawn.map((block) => block.x));
  const z = joined(indices.map((index) => exact.priorSample(seed, index, 1)));
  const there = exact.forward(z, n);
  const C = z.length / n;
  const logPrior = logDensityOfSquaredNorm(prior);
  const thereLogQ = there.logDet.map((logDet, s) => logPrior(squaredNorm(z.subarray(s * C, (s + 1) * C))) - logDet);
  const back = exact.logProb(there.x, n);
  const density = exact.logProb(x, n);
  const column = (value: (s: number) => number) => Float64Array.from({ length: n }, (_, s) => value(s));
  return {
    logQ: column((s) => drawn[s].logQ[0] - density[s]),
    forwardLogQ: column((s) => drawn[s].logQ[0] - thereLogQ[s]),
    x: column((s) => rootMeanSquareDifference(x, there.x, s, C)),
    roundTrip: column((s) => thereLogQ[s] - back[s]),
    logWeight: column((s) => drawn[s].logWeight[0]),
  };
}

/** The runner that samples of a model are measured with; a worker keeps the last one. */
function referenceFor({ key, bytes }: ModelMessage, integrator: Integrator): FlowRunner {
  if (prepared?.key !== key) {
    const { flow } = decodeModel(bytes, 'model').generator;
    prepared = { key, runner: prepareFlow({ ...flow, integrator }, 'f64') };
  }
  return prepared.runner;
}

function joined(parts: readonly Positions[]): Float64Array {
  const out = new Float64Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

function squaredNorm(z: Float64Array): number {
  return z.reduce((sum, value) => sum + value * value, 0);
}

/** Of sample s, each of C coordinates. */
function rootMeanSquareDifference(a: Float64Array, b: Float64Array, s: number, C: number): number {
  let squares = 0;
  for (let c = s * C; c < (s + 1) * C; c++) squares += (a[c] - b[c]) ** 2;
  return Math.sqrt(squares / C);
}
