import { UsageError } from '../errors.js';
import type { PreparedField } from '../fields/index.js';
import type { Transport, Workspace } from './transport.js';

/**
 * Classic Runge–Kutta of fourth order with fixed steps over t ∈ [0, 1]. Forward and inverse are different maps to O(h⁴);
 * the difference is the discretisation error.
 */
export interface RungeKutta4 {
  readonly kind: 'rk4';
  readonly steps: number;
}

/** @throws UsageError unless `steps` is an integer from 1 to 10000. */
export function rk4(steps = 20): RungeKutta4 {
  if (!Number.isInteger(steps) || steps < 1 || steps > 10000) {
    throw new UsageError(`integrator: steps is ${steps}, expected an integer from 1 to 10000`);
  }
  return { kind: 'rk4', steps };
}

/** The times s/(2·steps), s = 0 … 2·steps, at which a field has to be prepared: ends and middles of all steps. */
export function stageTimes(integrator: RungeKutta4): Float64Array {
  return Float64Array.from({ length: 2 * integrator.steps + 1 }, (_, s) => s / (2 * integrator.steps));
}

/** Fixed steps through a field that is prepared at `stageTimes`. */
export function fixedSteps({ steps }: RungeKutta4, space: Workspace, field: PreparedField): Transport {
  const { kernels, particles, dimensions, positions, logDet, scratch } = space;
  const lane = kernels.lane(space.precision);
  const work = kernels.allocate(lane.rungeKutta4Scratch(particles * dimensions, space.capacity / lane.lanes));
  const { code, parameters, stages, stageBytes } = field;
  const C = particles * dimensions;
  let samples = 0;

  /** With `tape`, positions of all stages are kept there. */
  function run(blocks: number, inverse: boolean, tape: number): void {
    kernels.f64View(logDet, blocks * lane.lanes).fill(0);
    lane.rungeKutta4(
      code,
      parameters,
      stages,
      stageBytes,
      steps,
      inverse,
      positions,
      logDet,
      particles,
      dimensions,
      blocks,
      tape,
      work,
      scratch,
    );
  }

  return {
    integrate(count, inverse) {
      run(Math.ceil(count / lane.lanes), inverse, 0);
      samples += count;
    },
    whereNotFinite(inverse) {
      return kernels.scoped(() => {
        const tape = kernels.allocate(4 * steps * C * 16);
        run(1, inverse, tape);
        // Its first lane.
        const numbers = kernels.view(space.precision, tape, 4 * steps * C * lane.lanes);
        const at = numbers.findIndex((value, i) => i % lane.lanes === 0 && !Number.isFinite(value));
        const stage = at < 0 ? 4 * steps - 1 : Math.floor(at / (C * lane.lanes));
        const step = Math.floor(stage / 4);
        const t = (step + Math.ceil((stage % 4) / 2) / 2) / steps;
        return { t: inverse ? 1 - t : t, step: step + 1 };
      });
    },
    takeStatistics() {
      const done = { samples, steps: samples * steps, rejected: 0, evaluations: samples * steps * 4, mostSteps: steps };
      samples = 0;
      return done;
    },
  };
}
