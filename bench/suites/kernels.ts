/* Single kernels on blocks that stand ready: times per pair, their share of the peak, and C on the same algorithm. */
import { stageTimes } from '../../src/integrators/index.js';
import { type Case, PRECISIONS } from '../cases.js';
import { benchDenseField, DENSE_UNITS } from '../checks.js';
import {
  energies,
  type KernelCall,
  leapfrogs,
  metropolisSteps,
  priorNormals,
  rightHandSide,
  tableBuild,
} from '../kernel-calls.js';
import type { Measurement } from '../measurement.js';
import { NativeKernels } from '../peers/native.js';
import { type Contender, inProcess, measured, NATIVE_ROUNDS, QUICK_ROUNDS, takeTurns } from '../rounds.js';
import { FULL, perUnit, QUICK, time } from '../timing.js';
import type { Bench, Suite } from './suite.js';

/**
 * Floating-point operations per unordered pair of the table algorithm: geometry 3D + 6, table and divergence 12, forces 4D.
 * A square root counts as one.
 */
function fieldOperations(dimensions: number): number {
  return 7 * dimensions + 18;
}

/** Rows whose contenders are compared within one processor's reach: kernels that C has too. */
async function* pairKernels({ cases, quick, peak }: Bench, native: NativeKernels): AsyncGenerator<Measurement> {
  const effort = quick ? QUICK_ROUNDS : NATIVE_ROUNDS;
  const row = async function* (c: Case, group: string, contenders: Contender[], operations?: number) {
    const times = await takeTurns(contenders, effort);
    for (const m of measured(
      contenders,
      times.map((t) => perUnit(t, c.pairs)),
      { group, subject: c.label, unit: 'pair' },
    )) {
      const precision = PRECISIONS.find((p) => m.contender.endsWith(p));
      if (operations === undefined || precision === undefined) yield m;
      else yield { ...m, share: operations / (m.seconds.median * peak[precision]) };
    }
  };
  const ours = (call: KernelCall, precision: string) => inProcess(`equiflow ${precision}`, call.units, call.run);
  for (const c of cases) {
    const contenders = PRECISIONS.map((precision) => ours(rightHandSide(c.field, precision, c.x), precision));
    contenders.push(...(await native.contenders(c, 'field', c.x)));
    yield* row(c, 'velocity + divergence, per unordered pair', contenders, fieldOperations(c.system.dimensions));
  }
  for (const c of cases) {
    const contenders = PRECISIONS.map((precision) => ours(energies(c.system, precision, c.x, true), precision));
    if (c.system.terms.some(({ kind }) => kind === 'lennard-jones')) {
      const few = c.x.subarray(0, 256 * c.system.particles * c.system.dimensions);
      contenders.push(...(await native.contenders(c, 'energy', few)));
    }
    yield* row(c, 'energy + gradient, per unordered pair', contenders);
  }
}

/** What a leapfrog step of the samplers costs beside the gradient that it cannot do without. */
async function* samplerShares({ cases, quick }: Bench): AsyncGenerator<Measurement> {
  const effort = quick ? QUICK_ROUNDS : NATIVE_ROUNDS;
  for (const c of cases) {
    const hmc = leapfrogs(c.system, 10);
    const mala = leapfrogs(c.system, 1);
    const contenders = [
      inProcess('energy + gradient alone', hmc.kernel.units, hmc.kernel.run),
      inProcess('HMC, 10 leapfrog steps', hmc.sampler.units, hmc.sampler.run),
      inProcess('MALA', mala.sampler.units, mala.sampler.run),
    ];
    const times = await takeTurns(contenders, effort);
    const what = { group: 'HMC and MALA by gradient evaluation, f64', subject: c.label, unit: 'gradient' };
    for (const [i, m] of measured(contenders, times, what).entries()) {
      const share = `${((100 * times[0].median) / times[i].median).toFixed(0)} % of its time in the energy kernel`;
      yield i === 0 ? m : { ...m, note: share };
    }
  }
}

interface Row {
  readonly group: string;
  readonly subject: string;
  readonly contender: string;
  readonly unit: string;
  readonly call: KernelCall;
}

/** Everything else, on `benchmark` alone. */
function* otherKernels(cases: readonly Case[]): Generator<Row> {
  const [first] = cases;
  const row = (group: string, subject: string, precision: string, unit: string, call: KernelCall): Row => ({
    group,
    subject,
    contender: `equiflow ${precision}`,
    unit,
    call,
  });
  for (const c of cases) {
    for (const precision of PRECISIONS) {
      const call = energies(c.system, precision, c.x, false);
      yield row('energy', c.label, precision, 'pair', { ...call, units: call.units * c.pairs });
    }
  }
  for (const c of cases) {
    for (const precision of PRECISIONS) {
      const call = tableBuild(c.field, precision, stageTimes(c.flow.integrator));
      yield row('tables of all 41 stages', c.label, precision, 'build', call);
    }
  }
  for (const precision of PRECISIONS) {
    const call = rightHandSide(benchDenseField(first), precision, first.x);
    yield row(`dense field, ${DENSE_UNITS} units`, first.label, precision, 'sample', call);
  }
  for (const c of cases) yield row('Metropolis', c.label, 'f64', 'step', metropolisSteps(c.system));
  yield row('normal random numbers', 'prior', 'f64', 'number', priorNormals());
}

export const kernels: Suite = {
  name: 'kernels',
  about: 'single kernels: nanoseconds per pair, share of the measured peak, C on the same algorithm',
  async run(bench: Bench) {
    const { cases, peers, quick, onMeasurement } = bench;
    const measurements: Measurement[] = [];
    const add = (measurement: Measurement) => {
      measurements.push(measurement);
      onMeasurement(measurement);
    };
    const native = new NativeKernels(peers.length > 0);
    try {
      for await (const measurement of pairKernels(bench, native)) add(measurement);
      for await (const measurement of samplerShares(bench)) add(measurement);
    } finally {
      native.close();
    }
    for (const { call, ...row } of otherKernels(cases)) {
      add({ ...row, seconds: perUnit(time(call.run, quick ? QUICK : FULL), call.units) });
    }
    return { measurements, notes: [], skipped: native.skipped };
  },
};
