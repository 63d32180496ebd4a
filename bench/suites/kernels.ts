/* Single kernels on blocks that stand ready: times per pair, and their share of what the machine can do. */
import { stageTimes } from '../../src/integrators/index.js';
import type { Precision } from '../../src/kernels/index.js';
import { type Case, PRECISIONS } from '../cases.js';
import { benchDenseField, DENSE_UNITS } from '../checks.js';
import {
  energies,
  type KernelCall,
  metropolisSteps,
  priorNormals,
  rightHandSide,
  tableBuild,
} from '../kernel-calls.js';
import type { Measurement } from '../measurement.js';
import { FULL, perUnit, QUICK, time } from '../timing.js';
import type { Bench, Suite } from './suite.js';

/**
 * Floating-point operations per unordered pair of the table algorithm: geometry 3D + 6, table and divergence 12, forces 4D.
 * A square root counts as one.
 */
function fieldOperations(dimensions: number): number {
  return 7 * dimensions + 18;
}

interface Row {
  readonly group: string;
  readonly subject: string;
  readonly precision: Precision;
  readonly unit: string;
  /** Units of one call. */
  readonly units: number;
  readonly body: () => number;
  /** Floating-point operations per unit, where they are counted. */
  readonly operations?: number;
}

function row(group: string, subject: string, precision: Precision, unit: string, call: KernelCall, each = 1): Row {
  return { group, subject, precision, unit, units: call.units * each, body: call.run };
}

function fieldRows(c: Case): Row[] {
  return PRECISIONS.map((precision) => ({
    ...row('velocity + divergence', c.label, precision, 'pair', rightHandSide(c.field, precision, c.x), c.pairs),
    operations: fieldOperations(c.system.dimensions),
  }));
}

function energyRows(c: Case): Row[] {
  return [false, true].flatMap((withGradient) =>
    PRECISIONS.map((precision) => {
      const call = energies(c.system, precision, c.x, withGradient);
      return row(withGradient ? 'energy + gradient' : 'energy', c.label, precision, 'pair', call, c.pairs);
    }),
  );
}

function tableRows(c: Case): Row[] {
  return PRECISIONS.map((precision) => {
    const call = tableBuild(c.field, precision, stageTimes(c.flow.integrator));
    return row('tables of all 41 stages', c.label, precision, 'build', call);
  });
}

function* rows(cases: readonly Case[]): Generator<Row> {
  const [first] = cases;
  for (const c of cases) yield* fieldRows(c);
  for (const c of cases) yield* energyRows(c);
  for (const c of cases) yield* tableRows(c);
  for (const precision of PRECISIONS) {
    const call = rightHandSide(benchDenseField(first), precision, first.x);
    yield row(`dense field, ${DENSE_UNITS} units`, first.label, precision, 'sample', call);
  }
  for (const c of cases) yield row('Metropolis', c.label, 'f64', 'step', metropolisSteps(c.system));
  yield row('normal random numbers', 'prior', 'f64', 'number', priorNormals());
}

export const kernels: Suite = {
  name: 'kernels',
  about: 'single kernels: nanoseconds per pair, share of the measured peak',
  async run({ cases, peak, quick, onMeasurement }: Bench) {
    const measurements: Measurement[] = [];
    for (const { group, subject, precision, unit, units, body, operations } of rows(cases)) {
      const seconds = perUnit(time(body, quick ? QUICK : FULL), units);
      const share = operations === undefined ? {} : { share: operations / (seconds.median * peak[precision]) };
      measurements.push({ group, subject, contender: `equiflow ${precision}`, unit, seconds, ...share });
      onMeasurement(measurements.at(-1)!);
    }
    return { measurements, notes: [], skipped: [] };
  },
};
