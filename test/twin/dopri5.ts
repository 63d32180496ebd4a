import type { TwinField, TwinRates } from './rk4.js';

/** Butcher's table of Dormand and Prince (1980): rows of A, then b − b̂. The last row of A is b. */
const C = [0, 1 / 5, 3 / 10, 4 / 5, 8 / 9, 1, 1];
const A = [
  [],
  [1 / 5],
  [3 / 40, 9 / 40],
  [44 / 45, -56 / 15, 32 / 9],
  [19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729],
  [9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656],
  [35 / 384, 0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84],
];
const ERROR = [
  35 / 384 - 5179 / 57600,
  0,
  500 / 1113 - 7571 / 16695,
  125 / 192 - 393 / 640,
  -2187 / 6784 + 92097 / 339200,
  11 / 84 - 187 / 2100,
  -1 / 40,
];

export interface TwinStep {
  readonly x: Float64Array;
  /** What the step adds to log|det|. */
  readonly logDet: number;
  /** Rates at the end, which are the first of the next step. */
  readonly last: TwinRates;
  /** Estimated errors: root mean square over coordinates, and of log|det|. */
  readonly error: number;
  readonly logDetError: number;
}

/** One step of signed size h. */
export function dopri5Step(field: TwinField, t: number, h: number, x: Float64Array, first: TwinRates): TwinStep {
  const k = [first];
  let y = x;
  for (let s = 1; s < 7; s++) {
    y = x.map((value, c) => value + h * A[s].reduce((sum, a, j) => sum + a * k[j].velocity[c], 0));
    k.push(field(t + C[s] * h, y));
  }
  const squares = x.reduce((sum, _, c) => sum + ERROR.reduce((e, w, j) => e + w * h * k[j].velocity[c], 0) ** 2, 0);
  return {
    x: y,
    logDet: h * A[6].reduce((sum, b, j) => sum + b * k[j].divergence, 0),
    last: k[6],
    error: Math.sqrt(squares / x.length),
    logDetError: Math.abs(h * ERROR.reduce((sum, w, j) => sum + w * k[j].divergence, 0)),
  };
}

/** `2^level` equal steps. */
export function dopri5Fixed(field: TwinField, x: Float64Array, level: number, direction: 'forward' | 'inverse') {
  const sign = direction === 'forward' ? 1 : -1;
  const steps = 2 ** level;
  let t = direction === 'forward' ? 0 : 1;
  let rates = field(t, x);
  let [state, logDet] = [x, 0];
  for (let s = 0; s < steps; s++) {
    const step = dopri5Step(field, t, sign / steps, state, rates);
    t += sign / steps;
    state = step.x;
    logDet += step.logDet;
    rates = step.last;
  }
  return { x: state, logDet };
}

/**
 * Adaptive dyadic steps as docs/theory.md describes them: accepted at an error of at most 1 in units of the tolerance;
 * doubled below 1/128 where the longer step is aligned; halved on rejection as often as the estimate asks for, four times at most.
 */
export function dopri5Adaptive(
  field: TwinField,
  x: Float64Array,
  { rtol, atol, atolLogDet }: { rtol: number; atol: number; atolLogDet: number },
  direction: 'forward' | 'inverse',
) {
  const forward = direction === 'forward';
  let level = 0;
  while (2 ** (-5 * level) > Math.max(rtol, atol)) level++;
  let done = 0;
  let rates = field(forward ? 0 : 1, x);
  let [state, logDet, taken, tried] = [x, 0, 0, 0];
  while (done < 1) {
    const size = 2 ** -level;
    const step = dopri5Step(field, forward ? done : 1 - done, forward ? size : -size, state, rates);
    const rms = Math.sqrt(state.reduce((sum, value) => sum + value * value, 0) / state.length);
    const ratio = Math.max(step.error / (atol + rtol * rms), step.logDetError / atolLogDet);
    tried++;
    if (ratio <= 1) {
      taken++;
      done += size;
      state = step.x;
      logDet += step.logDet;
      rates = step.last;
      if (ratio < 1 / 128 && level > 0 && Number.isInteger(done / (2 * size))) level--;
    } else {
      let halvings = 1;
      while (halvings < 4 && ratio > 0.5 * 32 ** halvings) halvings++;
      level += halvings;
    }
  }
  return { x: state, logDet, taken, tried };
}
