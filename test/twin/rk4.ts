/** dx/dt [N·D] and d(log|det|)/dt of one sample. */
export interface TwinRates {
  readonly velocity: Float64Array;
  readonly divergence: number;
}

export type TwinField = (t: number, x: Float64Array) => TwinRates;

/**
 * The oracle for the integrator: classic Runge–Kutta of (x, log|det|) with `steps` equal steps, t = 0 → 1 (`forward`) or
 * 1 → 0 (`inverse`).
 *
 * @returns the end point, and log|det| of the map that leads to it from `x`
 */
export function rk4(
  field: TwinField,
  x: Float64Array,
  steps: number,
  direction: 'forward' | 'inverse',
): { x: Float64Array; logDet: number } {
  const h = (direction === 'forward' ? 1 : -1) / steps;
  const start = direction === 'forward' ? 0 : 1;
  const along = (from: Float64Array, step: number, v: Float64Array) => from.map((value, c) => value + step * v[c]);
  let state = x;
  let logDet = 0;
  for (let s = 0; s < steps; s++) {
    const t = start + s * h;
    const k1 = field(t, state);
    const k2 = field(t + h / 2, along(state, h / 2, k1.velocity));
    const k3 = field(t + h / 2, along(state, h / 2, k2.velocity));
    const k4 = field(t + h, along(state, h, k3.velocity));
    state = state.map(
      (value, c) => value + (h / 6) * (k1.velocity[c] + 2 * k2.velocity[c] + 2 * k3.velocity[c] + k4.velocity[c]),
    );
    logDet += (h / 6) * (k1.divergence + 2 * k2.divergence + 2 * k3.divergence + k4.divergence);
  }
  return { x: state, logDet };
}
