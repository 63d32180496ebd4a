/* What is measured: the usual systems with a field of the usual size, K = 50 distance and M = 10 time kernels. */
import type { KernelField } from '../src/fields/index.js';
import { type ContinuousFlow, continuousFlow, type FlowRunner, prepareFlow } from '../src/flows/index.js';
import { type RungeKutta4, rk4 } from '../src/integrators/index.js';
import type { Precision } from '../src/kernels/index.js';
import { meanFreeNormal } from '../src/priors/index.js';
import { type System, systemFromSpec } from '../src/systems/index.js';
import { initialFieldFor } from '../src/training/index.js';

export const PRECISIONS: readonly Precision[] = ['f32', 'f64'];
export const SEED = 1;
const STEPS = 20;

/** One system with its flow, prepared in both precisions. */
export interface Case {
  readonly label: string;
  readonly system: System;
  readonly field: KernelField;
  readonly flow: ContinuousFlow<RungeKutta4>;
  readonly runners: Readonly<Record<Precision, FlowRunner>>;
  /** Unordered pairs of particles. */
  readonly pairs: number;
  /** Samples drawn per call of the sampling benchmark. */
  readonly batch: number;
  /** Configurations per gradient, where training is measured. */
  readonly trainingBatch?: number;
  /** Configurations [batch, N, D] of the flow itself. */
  readonly x: Float64Array;
}

export function makeCase(label: string, spec: string, batch: number, trainingBatch?: number): Case {
  const system = systemFromSpec(spec);
  const { particles, dimensions } = system;
  const field = initialFieldFor(system, SEED);
  const flow = continuousFlow(meanFreeNormal(particles, dimensions), field, rk4(STEPS));
  const runners = { f32: prepareFlow(flow, 'f32'), f64: prepareFlow(flow, 'f64') };
  return {
    label,
    system,
    field,
    flow,
    runners,
    pairs: (particles * (particles - 1)) / 2,
    batch,
    x: Float64Array.from(runners.f64.sample(SEED, 0, batch).x),
    ...(trainingBatch === undefined ? {} : { trainingBatch }),
  };
}

export function makeCases(): Case[] {
  return [
    makeCase('DW4', 'dw4', 1000, 256),
    makeCase('LJ13', 'lj13:pairFactor=2', 1000, 64),
    makeCase('LJ55', 'lj55:pairFactor=2', 200),
  ];
}
