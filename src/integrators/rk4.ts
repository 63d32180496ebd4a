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
  const work = kernels.allocate(lane.integratorScratch(particles * dimensions, space.capacity / lane.lanes));
  const { code, parameters, stages, stageBytes } = field;
  let samples = 0;
  return {
    integrate(count, inverse) {
      const blocks = Math.ceil(count / lane.lanes);
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
        0,
        work,
        scratch,
      );
      samples += count;
    },
    takeStatistics() {
      const done = { samples, steps: samples * steps, rejected: 0, evaluations: samples * steps * 4, mostSteps: steps };
      samples = 0;
      return done;
    },
  };
}
