import { UsageError } from '../errors.js';

/** U [n] and ∇U [n, dof] of configurations x [n, dof], each independent of the others. */
export type EnergyAndGradient = (x: Float64Array, n: number) => { energy: Float64Array; gradient: Float64Array };

/** When a minimisation ends, and how far its steps may go. */
export interface MinimizeOptions {
  /** Converged when the Euclidean norm of a sample's full gradient is at most this. Default 1e-6. */
  readonly gradientTolerance?: number;
  /** Accepted steps per sample before giving up. Default 2000. */
  readonly maxIterations?: number;
  /** Pairs of steps and gradient changes that L-BFGS remembers. Default 8. */
  readonly memory?: number;
  /**
   * Longest step, as the Euclidean norm over all coordinates. Default 0.5, which keeps hard cores from throwing particles
   * apart. Thermal DW4 samples then end where the exact gradient flow ends (1000 of 1000), random ones mostly (94 %);
   * much shorter steps do worse, because cut quasi-Newton steps follow the soft modes first.
   */
  readonly maxStep?: number;
}

/** Where the samples ended; [n] unless stated. */
export interface Minimization {
  /** Configurations [n, dof]. */
  readonly x: Float64Array;
  readonly energy: Float64Array;
  /** Euclidean norm of the full gradient. */
  readonly gradientNorm: Float64Array;
  readonly iterations: Int32Array;
  /** 1 where the gradient norm reached the tolerance. A converged point may be a saddle, see `isMinimum`. */
  readonly converged: Uint8Array;
}

/** Samples under way at a time: enough for full blocks in every evaluation, few enough to bound the history. */
const SLOTS = 1024;
/** Sufficient decrease and curvature of the weak Wolfe conditions: the usual values for quasi-Newton directions. */
const DECREASE = 1e-4;
const CURVATURE = 0.9;
/** Relative rounding of U. Closer than this energies cannot tell steps apart, and slopes decide (Hager and Zhang). */
const ENERGY_NOISE = 1e-12;
/** Bisections of one line search: 2⁻⁴⁰ of a step is lost in rounding. */
const MAX_TRIALS = 40;

/**
 * Minimises U from each of n configurations by L-BFGS (Liu and Nocedal, Math. Program. 45 (1989) 503) with a bisecting
 * weak Wolfe line search (Lewis and Overton, Math. Program. 141 (2013) 135) that near convergence, where differences of
 * U are rounding, accepts by slopes (Hager and Zhang, SIAM J. Optim. 16 (2005) 170).
 *
 * Samples advance in lock step, one call of `energyAndGradient` per trial step of all, but share nothing: a result does
 * not depend on the other samples of the batch. A sample that starts where U is not finite stays there, not converged.
 *
 * @param x configurations [n, dof], left as they are
 * @throws UsageError for options out of range or an array of the wrong length
 */
export function minimize(
  energyAndGradient: EnergyAndGradient,
  x: Float32Array | Float64Array,
  n: number,
  dof: number,
  options: MinimizeOptions = {},
): Minimization {
  const { gradientTolerance = 1e-6, maxIterations = 2000, memory = 8, maxStep = 0.5 } = options;
  if (x.length !== n * dof) throw new UsageError(`x: length ${x.length}, expected n·dof = ${n}·${dof}`);
  for (const [name, value] of Object.entries({ gradientTolerance, maxStep })) {
    if (!(value > 0)) throw new UsageError(`${name}: ${value}, expected a positive number`);
  }
  for (const [name, value] of Object.entries({ maxIterations, memory })) {
    if (!Number.isInteger(value) || value < 1) throw new UsageError(`${name}: ${value}, expected a positive integer`);
  }
  const result: Minimization = {
    x: Float64Array.from(x),
    energy: new Float64Array(n),
    gradientNorm: new Float64Array(n),
    iterations: new Int32Array(n),
    converged: new Uint8Array(n),
  };
  const slots = Math.min(n, SLOTS);
  const descent = new Descents(slots, dof, memory, maxStep);
  const trial = new Float64Array(slots * dof);
  const sampleOf = new Int32Array(slots);
  const active = Int32Array.from({ length: slots }, (_, slot) => slot);

  let next = 0;
  const load = (slot: number, row: number) => {
    const sample = next++;
    sampleOf[slot] = sample;
    descent.begin(slot);
    trial.set(result.x.subarray(sample * dof, (sample + 1) * dof), row * dof);
  };
  for (let slot = 0; slot < slots; slot++) load(slot, slot);

  let running = slots;
  while (running > 0) {
    const { energy, gradient } = energyAndGradient(trial.subarray(0, running * dof), running);
    let kept = 0;
    for (let row = 0; row < running; row++) {
      const slot = active[row];
      descent.take(slot, trial, energy[row], gradient, row * dof);
      const norm = descent.gradientNorm(slot);
      const converged = norm <= gradientTolerance;
      if (converged || descent.iterations[slot] >= maxIterations || descent.stuck[slot]) {
        const sample = sampleOf[slot];
        descent.position(slot, result.x, sample * dof);
        result.energy[sample] = descent.energy[slot];
        result.gradientNorm[sample] = norm;
        result.iterations[sample] = descent.iterations[slot];
        result.converged[sample] = converged ? 1 : 0;
        if (next === n) continue;
        load(slot, kept);
      } else {
        descent.propose(slot, trial, kept * dof);
      }
      active[kept++] = slot;
    }
    running = kept;
  }
  return result;
}

/** L-BFGS descents in fixed slots: flat arrays, nothing allocated per sample or step. */
class Descents {
  readonly energy: Float64Array;
  readonly iterations: Int32Array;
  /** 1 where no descent is possible any more. */
  readonly stuck: Uint8Array;
  readonly #x: Float64Array;
  readonly #gradient: Float64Array;
  readonly #direction: Float64Array;
  /** Derivative of U along the direction at the current point. */
  readonly #slope: Float64Array;
  /** Line search: the trial step, its bounds, its longest value, and how many were tried. */
  readonly #step: Float64Array;
  readonly #tooShort: Float64Array;
  readonly #tooLong: Float64Array;
  readonly #longest: Float64Array;
  readonly #trials: Int32Array;
  /** Rings of steps s, gradient changes y [slot, memory, dof] and 1/(s·y) [slot, memory]; how many were ever pushed. */
  readonly #s: Float64Array;
  readonly #y: Float64Array;
  readonly #rho: Float64Array;
  readonly #pushed: Int32Array;
  readonly #alpha: Float64Array;

  constructor(
    slots: number,
    readonly dof: number,
    readonly memory: number,
    readonly maxStep: number,
  ) {
    this.energy = new Float64Array(slots);
    this.iterations = new Int32Array(slots);
    this.stuck = new Uint8Array(slots);
    this.#x = new Float64Array(slots * dof);
    this.#gradient = new Float64Array(slots * dof);
    this.#direction = new Float64Array(slots * dof);
    this.#slope = new Float64Array(slots);
    this.#step = new Float64Array(slots);
    this.#tooShort = new Float64Array(slots);
    this.#tooLong = new Float64Array(slots);
    this.#longest = new Float64Array(slots);
    this.#trials = new Int32Array(slots);
    this.#s = new Float64Array(slots * memory * dof);
    this.#y = new Float64Array(slots * memory * dof);
    this.#rho = new Float64Array(slots * memory);
    this.#pushed = new Int32Array(slots);
    this.#alpha = new Float64Array(memory);
  }

  /** Readies a slot for a new sample, whose first evaluated point is its start. */
  begin(slot: number): void {
    this.iterations[slot] = -1;
    this.stuck[slot] = 0;
    this.#pushed[slot] = 0;
  }

  gradientNorm(slot: number): number {
    return Math.sqrt(dot(this.#gradient, slot * this.dof, this.#gradient, slot * this.dof, this.dof));
  }

  position(slot: number, out: Float64Array, at: number): void {
    for (let c = 0; c < this.dof; c++) out[at + c] = this.#x[slot * this.dof + c];
  }

  /** Writes the point to evaluate next. */
  propose(slot: number, out: Float64Array, at: number): void {
    const step = this.#step[slot];
    const base = slot * this.dof;
    for (let c = 0; c < this.dof; c++) out[at + c] = this.#x[base + c] + step * this.#direction[base + c];
  }

  /** Takes U and ∇U at the point proposed: moves there, or shortens or lengthens the step. */
  take(slot: number, trial: Float64Array, energy: number, gradient: Float64Array, at: number): void {
    if (this.iterations[slot] < 0) {
      this.#moveTo(slot, trial, energy, gradient, at);
      if (Number.isFinite(energy) && Number.isFinite(this.gradientNorm(slot))) this.#turn(slot);
      else this.stuck[slot] = 1;
      return;
    }
    const start = this.energy[slot];
    const slope0 = this.#slope[slot];
    const step = this.#step[slot];
    const slope = dot(gradient, at, this.#direction, slot * this.dof, this.dof);
    const noise = ENERGY_NOISE * Math.max(1, Math.abs(start));
    // Written so that NaN counts as too long a step.
    const decreased =
      energy <= start + DECREASE * step * slope0 || (energy <= start + noise && slope <= (2 * DECREASE - 1) * slope0);
    if (!decreased || !Number.isFinite(slope)) {
      this.#tooLong[slot] = step;
    } else if (slope < CURVATURE * slope0 && step < this.#longest[slot]) {
      this.#tooShort[slot] = step;
    } else {
      this.#remember(slot, trial, gradient, at);
      this.#moveTo(slot, trial, energy, gradient, at);
      this.#turn(slot);
      return;
    }
    const bounded = this.#tooLong[slot] < Number.POSITIVE_INFINITY;
    this.#step[slot] = bounded
      ? 0.5 * (this.#tooShort[slot] + this.#tooLong[slot])
      : Math.min(2 * step, this.#longest[slot]);
    if (++this.#trials[slot] < MAX_TRIALS) return;
    // No step helps along this direction: try the steepest one, and give up if this was it.
    if (this.#pushed[slot] === 0) this.stuck[slot] = 1;
    this.#pushed[slot] = 0;
    this.#turn(slot);
  }

  #moveTo(slot: number, trial: Float64Array, energy: number, gradient: Float64Array, at: number): void {
    const base = slot * this.dof;
    for (let c = 0; c < this.dof; c++) {
      this.#x[base + c] = trial[at + c];
      this.#gradient[base + c] = gradient[at + c];
    }
    this.energy[slot] = energy;
    this.iterations[slot]++;
  }

  #remember(slot: number, trial: Float64Array, gradient: Float64Array, at: number): void {
    const { dof, memory } = this;
    const base = slot * dof;
    const entry = slot * memory + (this.#pushed[slot] % memory);
    const row = entry * dof;
    let [ss, sy, yy] = [0, 0, 0];
    for (let c = 0; c < dof; c++) {
      const s = trial[at + c] - this.#x[base + c];
      const y = gradient[at + c] - this.#gradient[base + c];
      ss += s * s;
      sy += s * y;
      yy += y * y;
    }
    // Steps cut at the longest may lack curvature; they would make the approximate Hessian indefinite. Told before the oldest pair
    // makes room.
    if (!(sy > 1e-10 * Math.sqrt(ss * yy))) return;
    for (let c = 0; c < dof; c++) {
      this.#s[row + c] = trial[at + c] - this.#x[base + c];
      this.#y[row + c] = gradient[at + c] - this.#gradient[base + c];
    }
    this.#rho[entry] = 1 / sy;
    this.#pushed[slot]++;
  }

  /** Sets the direction −H∇U by the two-loop recursion and starts a line search along it. */
  #turn(slot: number): void {
    const { dof, memory } = this;
    const p = this.#direction;
    const base = slot * dof;
    for (let c = base; c < base + dof; c++) p[c] = -this.#gradient[c];
    const pushed = this.#pushed[slot];
    const oldest = Math.max(0, pushed - memory);
    for (let k = pushed - 1; k >= oldest; k--) {
      const entry = slot * memory + (k % memory);
      const alpha = this.#rho[entry] * dot(this.#s, entry * dof, p, base, dof);
      this.#alpha[k - oldest] = alpha;
      for (let c = 0; c < dof; c++) p[base + c] -= alpha * this.#y[entry * dof + c];
    }
    if (pushed > 0) {
      const entry = slot * memory + ((pushed - 1) % memory);
      const yy = dot(this.#y, entry * dof, this.#y, entry * dof, dof);
      const scale = 1 / (this.#rho[entry] * yy);
      for (let c = base; c < base + dof; c++) p[c] *= scale;
    }
    for (let k = oldest; k < pushed; k++) {
      const entry = slot * memory + (k % memory);
      const beta = this.#rho[entry] * dot(this.#y, entry * dof, p, base, dof);
      for (let c = 0; c < dof; c++) p[base + c] += (this.#alpha[k - oldest] - beta) * this.#s[entry * dof + c];
    }
    this.#slope[slot] = dot(this.#gradient, base, p, base, dof);
    if (!(this.#slope[slot] < 0) && pushed > 0) {
      this.#pushed[slot] = 0;
      this.#turn(slot);
      return;
    }
    const length = Math.sqrt(dot(p, base, p, base, dof));
    this.#longest[slot] = this.maxStep / length;
    // Without a history the scale of the curvature is unknown; a tenth of the longest step finds it in a few trials.
    this.#step[slot] = Math.min(1, (pushed > 0 ? 1 : 0.1) * this.#longest[slot]);
    this.#tooShort[slot] = 0;
    this.#tooLong[slot] = Number.POSITIVE_INFINITY;
    this.#trials[slot] = 0;
  }
}

function dot(a: Float64Array, i: number, b: Float64Array, j: number, length: number): number {
  let sum = 0;
  for (let c = 0; c < length; c++) sum += a[i + c] * b[j + c];
  return sum;
}
