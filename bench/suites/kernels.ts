/* Single kernels on blocks that stand ready: times per pair, their share of the peak, and C on the same algorithm. */
import { stageTimes } from '../../src/integrators/index.js';
import type { Precision } from '../../src/kernels/index.js';
import { type Case, PRECISIONS } from '../cases.js';
import { benchDenseField, DENSE_UNITS } from '../checks.js';
import {
  chainMomenta,
  energies,
  type KernelCall,
  leapfrogs,
  metropolisSteps,
  priorNormals,
  rightHandSide,
  tableBuild,
} from '../kernel-calls.js';
import type { Measurement } from '../measurement.js';
import { energyPasses, fieldPasses, floatingPoint, normalPasses, type Pass, tablePasses } from '../operations.js';
import { LANES, type Peak } from '../peak.js';
import { NativeKernels } from '../peers/native.js';
import { attainable, measureRates, type Rates, ratesText } from '../roofline.js';
import { type Contender, inProcess, measured, NATIVE_ROUNDS, QUICK_ROUNDS, takeTurns } from '../rounds.js';
import { FULL, perUnit, QUICK, time } from '../timing.js';
import type { Bench, Suite } from './suite.js';

/** The machine as kernels see it: multiply-adds a second, and what else can bound a loop. */
interface Limits {
  readonly peak: Peak;
  readonly rates: Readonly<Record<Precision, Rates>>;
}

/** A measurement beside what the machine could have done; `lanes` of the units that were timed share a vector of the passes. */
function judged(
  m: Measurement,
  passes: readonly Pass[],
  precision: Precision,
  lanes: number,
  limits: Limits,
): Measurement {
  const { seconds, resource } = attainable(passes, limits.rates[precision]);
  const peak = (floatingPoint(passes) * (LANES[precision] / lanes)) / limits.peak[precision];
  return {
    ...m,
    share: peak / m.seconds.median,
    roofline: { share: seconds / lanes / m.seconds.median, resource },
  };
}

/** Rows whose contenders are compared within one processor's reach: kernels that C has too. */
async function* pairKernels(
  { cases, quick }: Bench,
  native: NativeKernels,
  limits: Limits,
): AsyncGenerator<Measurement> {
  const effort = quick ? QUICK_ROUNDS : NATIVE_ROUNDS;
  const row = async function* (c: Case, group: string, contenders: Contender[], passes: (p: Precision) => Pass[]) {
    const times = await takeTurns(contenders, effort);
    for (const m of measured(
      contenders,
      times.map((t) => perUnit(t, c.pairs)),
      { group, subject: c.label, unit: 'pair' },
    )) {
      const precision = PRECISIONS.find((p) => m.contender.endsWith(p));
      yield precision === undefined ? m : judged(m, passes(precision), precision, LANES[precision], limits);
    }
  };
  const ours = (call: KernelCall, precision: string) => inProcess(`equiflow ${precision}`, call.units, call.run);
  for (const c of cases) {
    const { particles, dimensions } = c.system;
    const contenders = PRECISIONS.map((precision) => ours(rightHandSide(c.field, precision, c.x), precision));
    contenders.push(...(await native.contenders(c, 'field', c.x)));
    const group = 'velocity + divergence, per unordered pair';
    yield* row(c, group, contenders, (precision) => fieldPasses(precision, particles, dimensions));
  }
  for (const c of cases) {
    const contenders = PRECISIONS.map((precision) => ours(energies(c.system, precision, c.x, true), precision));
    if (c.system.terms.some(({ kind }) => kind === 'lennard-jones')) {
      const few = c.x.subarray(0, 256 * c.system.particles * c.system.dimensions);
      contenders.push(...(await native.contenders(c, 'energy', few)));
    }
    yield* row(c, 'energy + gradient, per unordered pair', contenders, (precision) => energyPasses(c, precision));
  }
}

/** What a leapfrog step of the samplers costs beside the gradient that it cannot do without. */
async function* samplerShares({ cases, quick }: Bench): AsyncGenerator<Measurement> {
  const effort = quick ? QUICK_ROUNDS : NATIVE_ROUNDS;
  for (const c of cases) {
    const [hmc, mala] = [10, 1].map((steps) => leapfrogs(c.system, steps));
    const contenders = [
      inProcess('HMC, 10 leapfrog steps', hmc.sampler.units, hmc.sampler.run),
      inProcess('its energies and gradients alone', hmc.evaluations.units, hmc.evaluations.run),
      inProcess('MALA', mala.sampler.units, mala.sampler.run),
      inProcess('its energies and gradients alone (f64)', mala.evaluations.units, mala.evaluations.run),
    ];
    const times = await takeTurns(contenders, effort);
    const what = { group: 'HMC and MALA by gradient evaluation', subject: c.label, unit: 'gradient' };
    for (const [i, m] of measured(contenders, times, what).entries()) {
      const share = `${((100 * times[i | 1].median) / times[i & ~1].median).toFixed(0)} % of the time above`;
      yield i % 2 === 0 ? m : { ...m, note: share };
    }
  }
}

interface Row {
  readonly group: string;
  readonly subject: string;
  readonly contender: string;
  readonly unit: string;
  readonly precision: Precision;
  readonly call: KernelCall;
  /** What a unit takes, where it is counted. */
  readonly passes?: readonly Pass[];
}

/** Everything else, on `benchmark` alone, which goes by the clock. */
function* otherKernels(cases: readonly Case[]): Generator<Row> {
  const [first] = cases;
  const row = (group: string, subject: string, precision: Precision, unit: string, call: KernelCall): Row => ({
    group,
    subject,
    contender: `equiflow ${precision}`,
    unit,
    precision,
    call,
  });
  for (const c of cases) {
    for (const precision of PRECISIONS) {
      const call = energies(c.system, precision, c.x, false);
      yield row('energy, by the clock', c.label, precision, 'pair', { ...call, units: call.units * c.pairs });
    }
  }
  for (const c of cases) {
    for (const precision of PRECISIONS) {
      const call = tableBuild(c.field, precision, stageTimes(c.flow.integrator));
      const table = row('tables of all 41 stages, by the clock', c.label, precision, 'build', call);
      yield { ...table, passes: tablePasses(c, precision) };
    }
  }
  for (const precision of PRECISIONS) {
    const call = rightHandSide(benchDenseField(first), precision, first.x);
    yield row(`dense field, ${DENSE_UNITS} units, by the clock`, first.label, precision, 'sample', call);
  }
  for (const c of cases) yield row('Metropolis, by the clock', c.label, 'f64', 'step', metropolisSteps(c.system));
  yield {
    ...row('normal random numbers, by the clock', 'prior', 'f64', 'number', priorNormals()),
    passes: normalPasses(),
  };
  for (const c of cases)
    yield row('normal random numbers, by the clock', `momenta, ${c.label}`, 'f32', 'number', chainMomenta(c.system));
}

export const kernels: Suite = {
  name: 'kernels',
  about:
    'single kernels: nanoseconds per pair, share of the measured peak and of the roofline, C on the same algorithm',
  async run(bench: Bench) {
    const { cases, peers, quick, onMeasurement } = bench;
    const measurements: Measurement[] = [];
    const add = (measurement: Measurement) => {
      measurements.push(measurement);
      onMeasurement(measurement);
    };
    const limits = { peak: bench.peak, rates: measureRates() };
    const native = new NativeKernels(peers.length > 0);
    try {
      for await (const measurement of pairKernels(bench, native, limits)) add(measurement);
      for await (const measurement of samplerShares(bench)) add(measurement);
    } finally {
      native.close();
    }
    for (const { call, precision, passes, ...row } of otherKernels(cases)) {
      const seconds = perUnit(time(call.run, quick ? QUICK : FULL), call.units);
      const m = { ...row, seconds, clock: true as const };
      add(passes === undefined ? m : judged(m, passes, precision, 1, limits));
    }
    const notes = [
      ratesText(limits.rates),
      'Roofline: the least time that the counted operations of a kernel take at these rates, and the resource that sets it. 100 % would be a loop in which nothing ever waits.',
    ];
    return { measurements, notes, skipped: native.skipped };
  },
};
