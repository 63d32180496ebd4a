/* Correctness first: nothing is timed unless the kernels agree with the plain TypeScript twin and with each other. */
import { type DenseField, initialDenseField } from '../src/fields/index.js';
import { Kernels, STREAM, standardNormals } from '../src/kernels/index.js';
import { EnergyEvaluator } from '../src/systems/index.js';
import { FlowGradients } from '../src/training/index.js';
import { type DenseFieldParameters, denseField, removeCentroid } from '../test/twin/dense-field.js';
import { twinEnergyAndGradient } from '../test/twin/energy.js';
import { type KernelFieldParameters, kernelField } from '../test/twin/kernel-field.js';
import { philoxNormals } from '../test/twin/philox.js';
import { relativeError } from '../test/twin/reference.js';
import { rk4, type TwinField } from '../test/twin/rk4.js';
import { type Case, PRECISIONS, SEED } from './cases.js';
import { leapfrogs, metropolisSteps } from './kernel-calls.js';
import { peakLoop } from './peak.js';

/** One comparison: max|Δ|/max|reference| against what it may be. NaN is never within bounds. */
export interface Check {
  readonly name: string;
  readonly error: number;
  readonly bound: number;
}

/** Tables differ from the exact function by their resolution, f32 from f64 by its rounding; both are well inside these. */
const BOUND = { f32: 1e-4, f64: 1e-6 } as const;
/** Closed formulas have no table error; steep Lennard-Jones walls magnify f32 rounding of the positions. */
const ENERGY_BOUND = { f32: 1e-4, f64: 1e-12 } as const;

/** The exact kernel field of a case, as the plain TypeScript twin computes it. */
export function twinOf({ field, system }: Case): TwinField {
  const parameters = field.parameters as unknown as KernelFieldParameters;
  return (t, x) => kernelField(parameters, t, x, system.particles, system.dimensions);
}

/** Hidden units of the dense field that is measured. */
export const DENSE_UNITS = 64;

/** The dense field that is measured. */
export function benchDenseField({ system }: Case): DenseField {
  return initialDenseField(system.particles, system.dimensions, { seed: SEED, hidden: DENSE_UNITS });
}

function flowChecks(c: Case): Check[] {
  const { particles, dimensions } = c.system;
  const z = removeCentroid(standardNormals(SEED, STREAM.prior, 0, 1, particles * dimensions), particles, dimensions);
  const exact = rk4(twinOf(c), z, c.flow.integrator.steps, 'forward');
  return PRECISIONS.flatMap((precision) => {
    const { x, logDet } = c.runners[precision].forward(z, 1);
    const name = `${c.label} ${precision} flow against the exact twin`;
    return [
      { name: `${name}, x`, error: relativeError(x, exact.x), bound: BOUND[precision] },
      { name: `${name}, log|det|`, error: relativeError(logDet, [exact.logDet]), bound: BOUND[precision] },
    ];
  });
}

function precisionCheck(c: Case): Check {
  const [single, double] = PRECISIONS.map((precision) => c.runners[precision].sample(SEED, 0, c.batch).logQ);
  return { name: `${c.label} log q, f32 against f64`, error: relativeError(single, double), bound: BOUND.f32 };
}

function energyChecks(c: Case): Check[] {
  const n = 4;
  const x = c.x.subarray(0, n * c.system.particles * c.system.dimensions);
  const twin = twinEnergyAndGradient(c.system, x, n);
  return PRECISIONS.flatMap((precision) => {
    const { energy, gradient } = new EnergyEvaluator(c.system, precision).energyAndGradient(x, n);
    const name = `${c.label} ${precision} against the twin`;
    return [
      { name: `${name}, energy`, error: relativeError(energy, twin.energy), bound: ENERGY_BOUND[precision] },
      { name: `${name}, gradient`, error: relativeError(gradient, twin.gradient), bound: ENERGY_BOUND[precision] },
    ];
  });
}

function denseCheck(c: Case): Check {
  const { particles, dimensions } = c.system;
  const field = benchDenseField(c);
  const k = new Kernels();
  const x = removeCentroid(c.x.slice(0, particles * dimensions), particles, dimensions);
  const twin = denseField(field.parameters as unknown as DenseFieldParameters, 0.25, x, particles, dimensions);
  // Both lanes hold the same sample.
  const at = k.place(Float64Array.from({ length: 2 * x.length }, (_, i) => x[i >> 1]));
  const out = k.allocate(x.length * 16);
  const divergence = k.allocate(16);
  const { code, parameters, stages, scratchBytes } = field.prepare(k, 'f64', Float64Array.of(0.25));
  k.f64.velocity(code, parameters, stages, at, out, divergence, particles, dimensions, 1, k.allocate(scratchBytes));
  const velocity = k.f64View(out, 2 * x.length).filter((_, i) => i % 2 === 0);
  const [actual, expected] = [
    [...velocity, k.f64View(divergence, 1)[0]],
    [...twin.velocity, twin.divergence],
  ];
  return { name: `${c.label} f64 dense field against the twin`, error: relativeError(actual, expected), bound: 1e-12 };
}

function gradientCheck(c: Case): Check[] {
  if (c.trainingBatch === undefined) return [];
  const n = c.trainingBatch;
  const [single, double] = PRECISIONS.map((precision) => new FlowGradients(c.flow, { precision }).nllGradient(c.x, n));
  const name = `${c.label} NLL, f32 against f64`;
  return [
    { name, error: relativeError([single.loss], [double.loss]), bound: 1e-5 },
    {
      name: `${name}, gradient`,
      error: relativeError(single.gradient.weights, double.gradient.weights),
      bound: 1e-3,
    },
  ];
}

/** Energies that chains carry along, against energies computed anew. */
function samplerChecks({ label, system }: Case): Check[] {
  return [
    { name: 'Metropolis', sampler: metropolisSteps(system) },
    { name: 'HMC', sampler: leapfrogs(system, 10).sampler },
    { name: 'MALA', sampler: leapfrogs(system, 1).sampler },
  ].map(({ name, sampler }) => {
    sampler.run();
    return { name: `${label} energies of ${name}`, error: sampler.energyError(), bound: 1e-9 };
  });
}

function normalsCheck(): Check {
  const normals = standardNormals(SEED, STREAM.prior, 5, 1, 8);
  const error = relativeError(normals, philoxNormals(SEED, STREAM.prior, 5, 8));
  return { name: 'normals against the twin', error, bound: 1e-12 };
}

/** All comparisons. The benchmark refuses to go on when one is out of bounds. */
export function runChecks(cases: readonly Case[]): Check[] {
  return [
    ...PRECISIONS.map((precision) => {
      const { run, expected } = peakLoop(precision, 1000);
      return { name: `${precision} peak loop`, error: Math.abs(run() / expected - 1), bound: 1e-5 };
    }),
    ...cases.flatMap(flowChecks),
    ...cases.map(precisionCheck),
    ...cases.flatMap(energyChecks),
    denseCheck(cases[0]),
    ...cases.flatMap(gradientCheck),
    ...cases.flatMap(samplerChecks),
    normalsCheck(),
  ];
}

export function failures(checks: readonly Check[]): Check[] {
  return checks.filter(({ error, bound }) => !(error <= bound));
}
