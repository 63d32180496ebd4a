/* The flow as a careful TypeScript programmer writes it, without SIMD, WebAssembly or tables: f64 in typed arrays that are made once,
 * unordered pairs, weights of all stages collapsed with K̂(t), and of the centres only those within six widths. */
import type { KernelFieldParameters } from '../../test/twin/kernel-field.js';
import { relativeError } from '../../test/twin/reference.js';
import { rk4 } from '../../test/twin/rk4.js';
import type { Case } from '../cases.js';
import { twinOf } from '../checks.js';
import { type Contender, inProcess } from '../rounds.js';

/** Keeps the normaliser of either basis away from 0 beyond its last centre. */
const FLOOR = 1e-6;
/** Widths beyond which a centre adds less than e^−36 to a normaliser of 1e-6 at least. */
const REACH = 6;
/** Distances are sorted into so many bins, each with the range of centres that reach it. */
const BINS = 512;
const BOUND = 1e-8;

/** Σ_m W_km K̂_m(t) [stages][K] and Σ_m (b_m + Σ_k s_k² W_km) K̂_m(t) [stages] at t = 0, h/2, …, 1. */
function collapsedStages(p: KernelFieldParameters, steps: number) {
  const [K, M, stages] = [p.mu.length, p.muTime.length, 2 * steps + 1];
  const weights = new Float64Array(stages * K);
  const bias = new Float64Array(stages);
  for (let s = 0; s < stages; s++) {
    const gauss = p.muTime.map((mu, m) => Math.exp(-(((s / (2 * steps) - mu) * Math.exp(-p.logGammaTime[m])) ** 2)));
    const normaliser = FLOOR + gauss.reduce((sum, value) => sum + value, 0);
    for (let m = 0; m < M; m++) {
      const feature = gauss[m] / normaliser;
      bias[s] += feature * p.bias[m];
      for (let k = 0; k < K; k++) {
        weights[s * K + k] += feature * p.weights[k * M + m];
        bias[s] += feature * p.importance[k] ** 2 * p.weights[k * M + m];
      }
    }
  }
  return { weights, bias };
}

/** First and one past the last centre that reach a bin of distances; beyond the last bin none does. */
function windows(mu: Float64Array, inverse: Float64Array) {
  const far = mu.reduce((most, center, k) => Math.max(most, center + REACH / inverse[k]), 0);
  const perDistance = BINS / far;
  const first = new Int32Array(BINS + 1).fill(mu.length);
  const end = new Int32Array(BINS + 1);
  for (let k = 0; k < mu.length; k++) {
    const from = Math.max(0, Math.floor((mu[k] - REACH / inverse[k]) * perDistance));
    const to = Math.min(BINS - 1, Math.floor((mu[k] + REACH / inverse[k]) * perDistance));
    for (let bin = from; bin <= to; bin++) {
      if (k < first[bin]) first[bin] = k;
      if (k + 1 > end[bin]) end[bin] = k + 1;
    }
  }
  return { perDistance, first, end };
}

/** Integrates x [N·D] from t = 0 to 1 in place and returns log|det|. */
export type PlainIntegrator = (x: Float64Array) => number;

export function plainIntegrator({ field, flow, system }: Case): PlainIntegrator {
  const p = field.parameters as unknown as KernelFieldParameters;
  const { particles: N, dimensions: D } = system;
  const { steps } = flow.integrator;
  const C = N * D;
  const K = p.mu.length;
  const { mu } = p;
  const inverse = p.logGamma.map((value) => Math.exp(-value));
  const { weights, bias } = collapsedStages(p, steps);
  const { perDistance, first, end } = windows(mu, inverse);

  /** Writes the velocity of one sample and returns its divergence. */
  const velocity = (stage: number, x: Float64Array, v: Float64Array): number => {
    let divergence = 0;
    v.fill(0);
    for (let i = 0; i < C - D; i += D) {
      for (let j = i + D; j < C; j += D) {
        let squared = 0;
        for (let a = 0; a < D; a++) {
          const r = x[i + a] - x[j + a];
          squared += r * r;
        }
        const d = Math.sqrt(squared);
        const bin = Math.min(BINS, Math.floor(d * perDistance));
        let total = FLOOR;
        let value = 0;
        let rise = 0;
        let slope = 0;
        for (let k = first[bin]; k < end[bin]; k++) {
          const scaled = (d - mu[k]) * inverse[k];
          const gauss = Math.exp(-scaled * scaled);
          const steep = scaled * inverse[k] * gauss;
          const w = weights[stage * K + k];
          total += gauss;
          value += gauss * w;
          rise += steep;
          slope += steep * w;
        }
        const normaliser = 1 / total;
        const f0 = value * normaliser;
        const f = f0 + bias[stage];
        divergence += 2 * (D * f - 2 * d * (slope - f0 * rise) * normaliser);
        for (let a = 0; a < D; a++) {
          const force = (x[i + a] - x[j + a]) * f;
          v[i + a] += force;
          v[j + a] -= force;
        }
      }
    }
    return divergence;
  };

  const [k1, k2, k3, k4, y] = Array.from({ length: 5 }, () => new Float64Array(C));
  const h = 1 / steps;
  const along = (x: Float64Array, step: number, v: Float64Array) => {
    for (let c = 0; c < C; c++) y[c] = x[c] + step * v[c];
    return y;
  };
  return (x) => {
    let logDet = 0;
    for (let s = 0; s < 2 * steps; s += 2) {
      const d1 = velocity(s, x, k1);
      const d2 = velocity(s + 1, along(x, h / 2, k1), k2);
      const d3 = velocity(s + 1, along(x, h / 2, k2), k3);
      const d4 = velocity(s + 2, along(x, h, k3), k4);
      for (let c = 0; c < C; c++) x[c] += (h / 6) * (k1[c] + 2 * (k2[c] + k3[c]) + k4[c]);
      logDet += (h / 6) * (d1 + 2 * (d2 + d3) + d4);
    }
    return logDet;
  };
}

/** A mean-free standard normal by Box and Muller, written to z [N·D]; returns its log-density. */
function drawPrior(z: Float64Array, N: number, D: number): number {
  for (let c = 0; c < z.length; c += 2) {
    const radius = Math.sqrt(-2 * Math.log(1 - Math.random()));
    const angle = 2 * Math.PI * Math.random();
    z[c] = radius * Math.cos(angle);
    if (c + 1 < z.length) z[c + 1] = radius * Math.sin(angle);
  }
  let squared = 0;
  for (let a = 0; a < D; a++) {
    let mean = 0;
    for (let c = a; c < z.length; c += D) mean += z[c] / N;
    for (let c = a; c < z.length; c += D) {
      z[c] -= mean;
      squared += z[c] * z[c];
    }
  }
  return -0.5 * (squared + (N - 1) * D * Math.log(2 * Math.PI));
}

/**
 * Samples with log q, one after the other.
 * @throws Error when a path is not the one of the exact twin
 */
export function plainContender(c: Case): Contender {
  const { particles: N, dimensions: D } = c.system;
  const integrate = plainIntegrator(c);
  const x = new Float64Array(N * D);
  drawPrior(x, N, D);
  const exact = rk4(twinOf(c), x.slice(), c.flow.integrator.steps, 'forward');
  const logDet = integrate(x);
  const error = relativeError([...x, logDet], [...exact.x, exact.logDet]);
  if (!(error <= BOUND))
    throw new Error(`plain TypeScript, ${c.label}: error ${error.toExponential(1)}, bound ${BOUND}`);
  const draw = () => {
    const logPrior = drawPrior(x, N, D);
    return logPrior - integrate(x);
  };
  return { ...inProcess('plain TypeScript, f64', 1, draw), peer: true };
}
