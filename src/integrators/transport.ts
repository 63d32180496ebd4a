import type { Kernels, Precision } from '../kernels/index.js';

/** Where a chunk of samples stands in kernel memory. Numbers are byte offsets unless they say otherwise. */
export interface Workspace {
  readonly kernels: Kernels;
  readonly precision: Precision;
  readonly particles: number;
  readonly dimensions: number;
  /** Samples that there is room for, a multiple of four. */
  readonly capacity: number;
  /** Blocks of lanes; idle lanes of the last one hold copies. */
  readonly positions: number;
  /** f64 [capacity]. */
  readonly logDet: number;
  /** Bytes for the field, as many as it asks for. */
  readonly scratch: number;
}

/** An integrator that is ready to move the samples of a workspace through a field. */
export interface Transport {
  /**
   * Moves the first `count` samples in place, t = 0 → 1 or, `inverse`, 1 → 0, and sets their log|det|.
   * `first` is the number that errors give to the first of them.
   * @throws NumericalError naming sample, time and step where an adaptive integrator cannot go on
   */
  integrate(count: number, inverse: boolean, first: number, frames?: Frames): void;
  /**
   * Where the path of the workspace's first sample, as it is loaded, leaves the finite range; for integrators that go on
   * with what is not finite.
   */
  whereNotFinite?(inverse: boolean): { readonly t: number; readonly step: number };
  /** What was done since the last call of this. */
  takeStatistics(): IntegrationStatistics;
}

/** Dense output: states at given fractions of the way. */
export interface Frames {
  /** Ascending, in (0, 1]: t forward, 1 − t in inverse. */
  readonly progress: Float64Array;
  /** Positions of each frame, blocks of lanes like those of the workspace and `positionBytes` apart. */
  readonly positions: number;
  readonly positionBytes: number;
  /** f64 log|det| of each frame, `logDetBytes` apart. */
  readonly logDet: number;
  readonly logDetBytes: number;
}

/** The work of an integration, added up over samples. */
export interface IntegrationStatistics {
  readonly samples: number;
  /** Steps that were accepted. */
  readonly steps: number;
  readonly rejected: number;
  /** Evaluations of the field. */
  readonly evaluations: number;
  /** Most steps, rejected ones included, that a sample took. */
  readonly mostSteps: number;
}

export function addStatistics(a: IntegrationStatistics, b: IntegrationStatistics): IntegrationStatistics {
  return {
    samples: a.samples + b.samples,
    steps: a.steps + b.steps,
    rejected: a.rejected + b.rejected,
    evaluations: a.evaluations + b.evaluations,
    mostSteps: Math.max(a.mostSteps, b.mostSteps),
  };
}

export const NO_STATISTICS: IntegrationStatistics = { samples: 0, steps: 0, rejected: 0, evaluations: 0, mostSteps: 0 };
