import type { FieldModel } from './field.js';
import type { Tensor, TensorFlow } from './tensors.js';

/** What of a flow all integrations at given parameters share. */
export interface PreparedFlow {
  readonly shared: readonly Tensor[];
  /** Time features [2·steps + 1, M] at the ends and middles of all steps, as `stageTimes` orders them. */
  readonly features: Tensor;
}

/** Positions [N, D·B] and what has come together per sample on the way there: log|det| [B], and ∫|v|² dt [B] if wanted. */
interface State {
  readonly x: Tensor;
  readonly logDet: Tensor;
  readonly kinetic?: Tensor;
}

/** A path through the flow, and the positions before each of its steps. */
export interface Path extends State {
  readonly checkpoints: readonly Tensor[];
  readonly inverse: boolean;
}

/** Cotangents of a path's end. */
export interface PathBars {
  readonly x: Tensor;
  readonly logDet: Tensor;
  /** Of the sum of all ∫|v|² dt; 0 where it plays no part. */
  readonly kinetic: number;
}

/** Cotangents of a path's start and of what it was made with. */
export interface PulledBack extends PreparedFlow {
  readonly x: Tensor;
}

/** Takes `x` through all steps from t = 0 to 1, or back with `inverse`. What is left over belongs to the caller's `tidy`. */
export function integrate(
  tf: TensorFlow,
  model: FieldModel,
  { shared, features }: PreparedFlow,
  x: Tensor,
  inverse: boolean,
  withKinetic: boolean,
): Path {
  const steps = stepCount(features);
  const checkpoints: Tensor[] = [];
  let state: State | undefined;
  let at = x;
  for (let step = 0; step < steps; step++) {
    checkpoints.push(at);
    const before = state;
    state = tf.tidy(() => {
      const stages = stepFeatures(tf, features, step, inverse);
      const after = rungeKutta4Step(tf, model, shared, stages, at, inverse, steps, withKinetic);
      const sum = (a: Tensor, b: Tensor | undefined) => (b === undefined ? a : tf.add(a, b));
      return {
        x: after.x,
        logDet: sum(after.logDet, before?.logDet),
        ...(after.kinetic ? { kinetic: sum(after.kinetic, before?.kinetic) } : {}),
      };
    });
    at = state.x;
  }
  return { ...state!, checkpoints, inverse };
}

/**
 * The reverse of `integrate`. The step loop is outside the tape: the way back tapes one step at a time, from the positions
 * kept before it, so that intermediate values of one step only are in memory.
 */
export function pullBack(
  tf: TensorFlow,
  model: FieldModel,
  { shared, features }: PreparedFlow,
  { checkpoints, inverse }: Path,
  bars: PathBars,
): PulledBack {
  const steps = stepCount(features);
  const rows = features.shape[0];
  let bar: PulledBack | undefined;
  for (let step = steps - 1; step >= 0; step--) {
    const after = bar;
    bar = tf.tidy(() => {
      const xBar = after?.x ?? bars.x;
      /** Its gradient is the vector-Jacobian product of the step. */
      const contracted = (x: Tensor, stages: Tensor, ...given: Tensor[]): Tensor => {
        const end = rungeKutta4Step(tf, model, given, stages, x, inverse, steps, bars.kinetic !== 0);
        const sum = tf.add(tf.sum(tf.mul(end.x, xBar)), tf.sum(tf.mul(end.logDet, bars.logDet)));
        return end.kinetic === undefined ? sum : tf.add(sum, tf.mul(tf.sum(end.kinetic), bars.kinetic));
      };
      const stages = stepFeatures(tf, features, step, inverse);
      const [x, stagesBar, ...sharedBars] = tf.grads(contracted)([checkpoints[step], stages, ...shared]);
      const first = firstStage(step, steps, inverse);
      const featuresBar = tf.pad(stagesBar, [
        [first, rows - first - 3],
        [0, 0],
      ]);
      if (after === undefined) return { x, features: featuresBar, shared: sharedBars };
      return {
        x,
        features: tf.add(after.features, featuresBar),
        shared: sharedBars.map((shareBar, i) => tf.add(after.shared[i], shareBar)),
      };
    });
  }
  return bar!;
}

/** Sums of the cotangents of chunks. */
export class BarSums {
  total: PreparedFlow | undefined;

  constructor(private readonly tf: TensorFlow) {}

  add({ shared, features }: PreparedFlow): void {
    const before = this.total;
    this.total =
      before === undefined
        ? { shared, features }
        : {
            shared: shared.map((bar, i) => this.tf.add(before.shared[i], bar)),
            features: this.tf.add(before.features, features),
          };
  }
}

function stepCount(features: Tensor): number {
  return (features.shape[0] - 1) / 2;
}

/** Number of the earliest of the three stages of a step. */
function firstStage(step: number, steps: number, inverse: boolean): number {
  return 2 * (inverse ? steps - 1 - step : step);
}

function stepFeatures(tf: TensorFlow, features: Tensor, step: number, inverse: boolean): Tensor {
  return tf.slice(features, [firstStage(step, stepCount(features), inverse), 0], [3, features.shape[1]!]);
}

/** One step of length ±1/steps; log-det and kinetic energy by the same quadrature as the positions. `stages` [3, M] in order of time. */
function rungeKutta4Step(
  tf: TensorFlow,
  model: FieldModel,
  shared: readonly Tensor[],
  stages: Tensor,
  x: Tensor,
  inverse: boolean,
  steps: number,
  withKinetic: boolean,
): State {
  const h = (inverse ? -1 : 1) / steps;
  const [earliest, middle, latest] = tf.split(stages, 3);
  const [begin, end] = inverse ? [latest, earliest] : [earliest, latest];
  const motion = (features: Tensor, at: Tensor) => {
    const { velocity, divergence } = model.motion(shared, features, at, true);
    return { velocity, divergence: divergence! };
  };
  const k1 = motion(begin, x);
  const k2 = motion(middle, tf.add(x, tf.mul(k1.velocity, h / 2)));
  const k3 = motion(middle, tf.add(x, tf.mul(k2.velocity, h / 2)));
  const k4 = motion(end, tf.add(x, tf.mul(k3.velocity, h)));
  const quadrature = (a: Tensor, b: Tensor, c: Tensor, d: Tensor) =>
    tf.mul(tf.add(tf.add(a, d), tf.mul(tf.add(b, c), 2)), 1 / (6 * steps));
  const signed = (integral: Tensor) => (inverse ? tf.neg(integral) : integral);
  const speed = ({ velocity }: { velocity: Tensor }) => {
    const perAxis = tf.sum(tf.square(velocity), 0);
    return tf.sum(tf.reshape(perAxis, [-1, k1.divergence.size]), 0);
  };
  return {
    x: tf.add(x, signed(quadrature(k1.velocity, k2.velocity, k3.velocity, k4.velocity))),
    logDet: signed(quadrature(k1.divergence, k2.divergence, k3.divergence, k4.divergence)),
    ...(withKinetic ? { kinetic: quadrature(speed(k1), speed(k2), speed(k3), speed(k4)) } : {}),
  };
}
