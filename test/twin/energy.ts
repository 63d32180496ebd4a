import type { EnergyTerm, PairTerm, System, TabulatedTerm } from '../../src/systems/index.js';

/** u(d) of a pair term. */
function pairEnergy(term: EnergyTerm, d: number): number {
  switch (term.kind) {
    case 'double-well': {
      const s = d - term.d0;
      return term.a * s * s * s * s + term.b * s * s + term.c;
    }
    case 'lennard-jones': {
      const q = (term.rMin / d) ** 6;
      return term.epsilon * (q * q - 2 * q);
    }
    case 'tabulated':
      return tabulated(term, d).value;
    case 'trap':
      return 0;
  }
}

/** Cubic Hermite interpolation as the textbook has it, the linear core and the constant beyond. */
function tabulated(term: TabulatedTerm, d: number): { value: number; slope: number } {
  const { dMin, dMax, values, slopes } = term;
  if (d < dMin) return { value: values[0] + slopes[0] * (d - dMin), slope: slopes[0] };
  if (d >= dMax) return { value: values[values.length - 1], slope: 0 };
  const h = (dMax - dMin) / (values.length - 1);
  const j = Math.min(values.length - 2, Math.floor((d - dMin) / h));
  const t = (d - dMin) / h - j;
  const [p0, p1, m0, m1] = [values[j], values[j + 1], h * slopes[j], h * slopes[j + 1]];
  return {
    value:
      (2 * t ** 3 - 3 * t ** 2 + 1) * p0 +
      (t ** 3 - 2 * t ** 2 + t) * m0 +
      (3 * t ** 2 - 2 * t ** 3) * p1 +
      (t ** 3 - t ** 2) * m1,
    slope:
      ((6 * t ** 2 - 6 * t) * p0 +
        (3 * t ** 2 - 4 * t + 1) * m0 +
        (6 * t - 6 * t ** 2) * p1 +
        (3 * t ** 2 - 2 * t) * m1) /
      h,
  };
}

/** du/dd of a pair term. */
function pairSlope(term: EnergyTerm, d: number): number {
  switch (term.kind) {
    case 'double-well': {
      const s = d - term.d0;
      return 4 * term.a * s * s * s + 2 * term.b * s;
    }
    case 'lennard-jones': {
      const q = (term.rMin / d) ** 6;
      return (12 * term.epsilon * (q - q * q)) / d;
    }
    case 'tabulated':
      return tabulated(term, d).slope;
    case 'trap':
      return 0;
  }
}

/** Whether a term is about a pair of particles of species a and b. */
function concerns({ species }: PairTerm, a: number, b: number): boolean {
  return species === undefined || (Math.min(a, b) === species[0] && Math.max(a, b) === species[1]);
}

/**
 * The oracle for energies: scalar f64 loops as the formulas stand.
 *
 * @returns U [n] and ∇U [n, N, D] of x [n, N, D]
 */
export function twinEnergyAndGradient(
  system: System,
  x: ArrayLike<number>,
  n: number,
): { energy: Float64Array; gradient: Float64Array } {
  const { particles: N, dimensions: D } = system;
  const energy = new Float64Array(n);
  const gradient = new Float64Array(n * N * D);
  for (const term of system.terms) {
    if (term.kind === 'trap') {
      addTrap(term.scale * term.stiffness, x, n, N, D, energy, gradient);
      continue;
    }
    for (let s = 0; s < n; s++) {
      for (let i = 0; i < N; i++) {
        for (let j = i + 1; j < N; j++) {
          if (!concerns(term, system.species[i], system.species[j])) continue;
          const a = (s * N + i) * D;
          const b = (s * N + j) * D;
          let squared = 0;
          for (let k = 0; k < D; k++) squared += (x[a + k] - x[b + k]) ** 2;
          const d = Math.sqrt(squared);
          energy[s] += term.scale * pairEnergy(term, d);
          const slope = (term.scale * pairSlope(term, d)) / d;
          for (let k = 0; k < D; k++) {
            const r = x[a + k] - x[b + k];
            gradient[a + k] += slope * r;
            gradient[b + k] -= slope * r;
          }
        }
      }
    }
  }
  return { energy, gradient };
}

function addTrap(
  stiffness: number,
  x: ArrayLike<number>,
  n: number,
  N: number,
  D: number,
  energy: Float64Array,
  gradient: Float64Array,
): void {
  for (let s = 0; s < n; s++) {
    for (let k = 0; k < D; k++) {
      let sum = 0;
      for (let i = 0; i < N; i++) sum += x[(s * N + i) * D + k];
      for (let i = 0; i < N; i++) {
        const r = x[(s * N + i) * D + k] - sum / N;
        energy[s] += 0.5 * stiffness * r * r;
        gradient[(s * N + i) * D + k] += stiffness * r;
      }
    }
  }
}
