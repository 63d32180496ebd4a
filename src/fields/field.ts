import type { KernelJob, Kernels, Precision } from '../kernels/index.js';
import type { SpeciesPairs } from './species.js';

/** Parameters or their gradients by name, row-major; names and shapes as in the model file. */
export type ParameterSet = Readonly<Record<string, Float64Array>>;

/** How finely a field is prepared. Fields without tables ignore it. */
export interface PrepareOptions {
  /** Table knots per narrowest radial width. */
  readonly resolution?: number;
  /** A fixed table grid instead: derivatives of the tabulated field take it as constant. */
  readonly grid?: { readonly intervals: number; readonly maxDistance: number };
  /** Also room for cotangents, so that `reverse` exists. */
  readonly reverse?: boolean;
}

/**
 * A time-dependent vector field v(t, x) with closed divergence. The integrators know a field only through this and
 * `PreparedField`; a new one is a file here and a case in assembly/field.ts.
 */
export interface Field {
  readonly kind: 'kernel' | 'dense';
  readonly particles: number;
  readonly dimensions: number;
  /** Which particles the field takes as equal; absent where it knows no such symmetry. */
  readonly species?: SpeciesPairs;
  readonly parameters: ParameterSet;
  readonly shapes: Readonly<Record<string, readonly number[]>>;
  /** Groups that training leaves alone unless told otherwise. */
  readonly frozen: readonly string[];
  /**
   * Places the field's stages at the given times in the kernels' memory.
   * @internal
   */
  prepare(kernels: Kernels, precision: Precision, times: Float64Array, options?: PrepareOptions): PreparedField;
  /** The same kind of field with other parameters. */
  withParameters(parameters: ParameterSet): Field;
}

/**
 * A field in kernel memory, at a fixed number of times. Numbers are byte offsets unless they say otherwise; `update` and
 * `widen` may move the stages.
 */
export interface PreparedField {
  /** Which case of assembly/field.ts. */
  readonly code: number;
  readonly parameters: number;
  readonly stages: number;
  readonly stageBytes: number;
  readonly scratchBytes: number;
  /** Recomputes all stages from (new) parameters; `times`, as many as there are stages, move them to other times. */
  update(parameters: ParameterSet, times?: Float64Array): void;
  /** Computes the stage at time `t` into `stageBytes` bytes at `offset`, from the parameters of the last update. */
  placeStage(offset: number, t: number): void;
  /**
   * A field may be prepared only where the steps before went, and answers NaN elsewhere. Then this prepares all of it and
   * returns true, so that what was not finite can be tried again; false where there was nothing to add.
   */
  widen?(): boolean;
  readonly reverse?: PreparedReverse;
}

/**
 * The reverse of a prepared field. A batch may be cut into parts that collect the stages' cotangents apart from one another,
 * on different threads; their sum is taken in the order of the parts.
 */
export interface PreparedReverse {
  /** How many parts may collect apart. */
  readonly maxParts: number;
  readonly stageBarBytes: number;
  /** Where a part (from 0) collects the stages' cotangents. */
  stageBars(part: number): number;
  /** Calls that zero all cotangents of a part, to be made first. */
  reset(part: number): KernelJob;
  /** Cotangents of the parameters from those that parts 0 … `parts` − 1 have collected; takes them away. */
  gradient(parts: number): ParameterSet;
}
