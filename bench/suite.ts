/* The kernels suite: every row is a time per unit of work, and what that time is worth in operations at the measured peak. */
import { stageTimes } from '../src/integrators/index.js';
import type { Precision } from '../src/kernels/index.js';
import { KernelEngine } from '../src/training/index.js';
import { rk4 } from '../test/twin/rk4.js';
import { type Case, PRECISIONS, SEED } from './cases.js';
import { benchDenseField, twinOf } from './checks.js';
import { energies, metropolisSteps, priorNormals, rightHandSide, tableBuild } from './kernel-calls.js';
import { peakLoop } from './peak.js';
import { type Effort, type Timing, time } from './timing.js';

export interface Row {
  readonly group: string;
  readonly subject: string;
  readonly precision: Precision;
  /** What `seconds` are per. */
  readonly unit: string;
  /** Seconds per unit: median and quartiles. */
  readonly seconds: Timing;
  /** Median time × measured peak of that precision: operations that could have been done meanwhile. */
  readonly flopsAtPeak: number;
}

/** Floating-point operations per second of multiply-adds in each precision, one thread. */
export type Peak = Readonly<Record<Precision, number>>;

/** Iterations of the peak loop per call: tens of microseconds. */
const PEAK_ITERATIONS = 10_000;
/** The dense field's width in `benchDenseField`. */
const HIDDEN = 64;

/**
 * The peak, or `before` where that was higher. It is taken from the fastest sample, because a peak that other processes
 * pulled down would flatter everything that is compared with it.
 */
export function measurePeak(effort: Effort, before: Peak = { f32: 0, f64: 0 }): Peak {
  const measure = (precision: Precision) => {
    const loop = peakLoop(precision, PEAK_ITERATIONS);
    return Math.max(before[precision], loop.flops / time(loop.run, effort).fastest);
  };
  return { f32: measure('f32'), f64: measure('f64') };
}

function perUnit({ fastest, lower, median, upper, samples }: Timing, units: number): Timing {
  return { fastest: fastest / units, lower: lower / units, median: median / units, upper: upper / units, samples };
}

/** Runs everything that is timed and hands rows over as they come. */
export function runSuite(cases: readonly Case[], peak: Peak, effort: Effort, onRow: (row: Row) => void): Row[] {
  const rows: Row[] = [];
  const add = (
    group: string,
    subject: string,
    precision: Precision,
    unit: string,
    units: number,
    body: () => number,
  ): void => {
    const seconds = perUnit(time(body, effort), units);
    const row = { group, subject, precision, unit, seconds, flopsAtPeak: seconds.median * peak[precision] };
    rows.push(row);
    onRow(row);
  };

  for (const c of cases) {
    for (const precision of PRECISIONS) {
      const call = rightHandSide(c.field, precision, c.x);
      add('kernel field: velocity + divergence', c.label, precision, 'pair', call.units * c.pairs, call.run);
    }
  }
  const [first] = cases;
  for (const precision of PRECISIONS) {
    const call = rightHandSide(benchDenseField(first), precision, first.x);
    add(`dense field: velocity + divergence, ${HIDDEN} units`, first.label, precision, 'sample', call.units, call.run);
  }
  for (const withGradient of [false, true]) {
    for (const c of cases) {
      for (const precision of PRECISIONS) {
        const call = energies(c.system, precision, c.x, withGradient);
        const group = withGradient ? 'energy + gradient' : 'energy';
        add(group, c.label, precision, 'pair', call.units * c.pairs, call.run);
      }
    }
  }
  for (const c of cases) {
    const call = metropolisSteps(c.system);
    add('Metropolis', c.label, 'f64', 'step', call.units, call.run);
  }
  const normals = priorNormals();
  add('prior: normal random numbers', '', 'f64', 'number', normals.units, normals.run);
  for (const c of cases) {
    for (const precision of PRECISIONS) {
      const call = tableBuild(c.field, precision, stageTimes(c.flow.integrator));
      add('table build: 41 stages', c.label, precision, 'build', call.units, call.run);
    }
  }
  for (const c of cases) {
    if (c.trainingBatch === undefined) continue;
    const n = c.trainingBatch;
    for (const precision of PRECISIONS) {
      const engine = new KernelEngine(c.flow, { precision });
      add('training step: tables + NLL + gradient', `${c.label}, batch ${n}`, precision, 'step', 1, () => {
        engine.update(c.field.parameters);
        return engine.nllGradient(c.x, n).loss;
      });
    }
  }
  return rows;
}

/** Sampling with exact log q on one thread, against the twin in the same run. */
export interface SamplingResult {
  readonly system: string;
  readonly precision: Precision;
  readonly batch: number;
  readonly seconds: Timing;
  readonly samplesPerSecond: number;
  /** Samples per second of the plain TypeScript twin (f64, no tables). */
  readonly twinSamplesPerSecond: number;
}

export function runSampling(cases: readonly Case[], effort: Effort): SamplingResult[] {
  return cases.flatMap((c) => {
    const { particles, dimensions } = c.system;
    const x = c.x.slice(0, particles * dimensions);
    const field = twinOf(c);
    // All steps cost the same, so one of them is enough of a path that takes most of a second for LJ55.
    const twinStep = time(() => rk4(field, x, 1, 'forward').logDet, effort);
    const twinSamplesPerSecond = 1 / (twinStep.median * c.flow.integrator.steps);
    return PRECISIONS.map((precision) => {
      const runner = c.runners[precision];
      const seconds = time(() => runner.sample(SEED, 0, c.batch).logQ[0], effort);
      const samplesPerSecond = c.batch / seconds.median;
      return { system: c.label, precision, batch: c.batch, seconds, samplesPerSecond, twinSamplesPerSecond };
    });
  });
}
