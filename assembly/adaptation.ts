// Step sizes by dual averaging (Nesterov 2009; Hoffman and Gelman, JMLR 15 (2014) 1593, §3.2). Here rather than on the host
// because its exponentials decide where chains go: they must be the same bits everywhere.

import { exp, log } from './math';

/** Their constants: how hard the iterates are drawn to the start, how long early ones count little, how fast the mean forgets. */
const GAMMA: f64 = 0.05;
const T0: f64 = 10;
const KAPPA: f64 = 0.75;

// State, f64 each.
const COUNT: usize = 0;
const STATISTIC: usize = 8;
const CENTRE: usize = 16;
const MEAN_LOG: usize = 24;
const STEP: usize = 32;
const MEAN_STEP: usize = 40;

function scalarExp(x: f64): f64 {
  return f64x2.extract_lane(exp<f64>(f64x2.splat(x)), 0);
}

function scalarLog(x: f64): f64 {
  return f64x2.extract_lane(log(f64x2.splat(x)), 0);
}

const BYTES: usize = 48;

/** Bytes of a group's state: count, statistic, centre, mean logarithm, then the step to try and the averaged step. */
export function adaptationBytes(): i32 {
  return <i32>BYTES;
}

/** Iterates are drawn to ten times the first guess, since steps that are too large are found out at once. */
export function startAdaptation(states: usize, groups: i32, stepSize: f64): void {
  memory.fill(states, 0, <usize>groups * BYTES);
  for (let g = 0; g < groups; g++, states += BYTES) {
    store<f64>(states + CENTRE, scalarLog(10 * stepSize));
    store<f64>(states + STEP, stepSize);
    store<f64>(states + MEAN_STEP, stepSize);
  }
}

/**
 * Learns, for every group of four chains, from the moves `accepted` of the step tried last (f64 a chain), which become 0, and puts the
 * step to try next at `stepSizes`.
 */
export function adaptStepSizes(states: usize, groups: i32, accepted: usize, stepSizes: usize, target: f64): void {
  for (let g = 0; g < groups; g++, states += BYTES, accepted += 32, stepSizes += 8) {
    const pairs = f64x2.add(v128.load(accepted), v128.load(accepted, 16));
    adapt(states, 0.25 * (f64x2.extract_lane(pairs, 0) + f64x2.extract_lane(pairs, 1)), target);
    v128.store(accepted, f64x2.splat(0));
    v128.store(accepted, f64x2.splat(0), 16);
    store<f64>(stepSizes, load<f64>(states + STEP));
  }
}

/** The averaged steps of all groups at `stepSizes`. */
export function averagedStepSizes(states: usize, groups: i32, stepSizes: usize): void {
  for (let g = 0; g < groups; g++, states += BYTES, stepSizes += 8) {
    store<f64>(stepSizes, load<f64>(states + MEAN_STEP));
  }
}

function adapt(state: usize, acceptance: f64, target: f64): void {
  const m = load<f64>(state + COUNT) + 1;
  const eta = 1 / (m + T0);
  const statistic = (1 - eta) * load<f64>(state + STATISTIC) + eta * (target - acceptance);
  const logStep = load<f64>(state + CENTRE) - (Math.sqrt(m) / GAMMA) * statistic;
  const weight = scalarExp(-KAPPA * scalarLog(m));
  const meanLog = weight * logStep + (1 - weight) * load<f64>(state + MEAN_LOG);
  store<f64>(state + COUNT, m);
  store<f64>(state + STATISTIC, statistic);
  store<f64>(state + MEAN_LOG, meanLog);
  store<f64>(state + STEP, scalarExp(logStep));
  store<f64>(state + MEAN_STEP, scalarExp(meanLog));
}
