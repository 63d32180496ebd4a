import { UsageError } from '../errors.js';
import type { Field, PreparedField, PrepareOptions } from '../fields/index.js';
import { brief } from '../formats/text.js';
import type { Kernels, Precision } from '../kernels/index.js';
import { adaptiveSteps } from './adaptive-steps.js';
import { type DormandPrince5, dopri5 } from './dopri5.js';
import { fixedSteps, type RungeKutta4, rk4, stageTimes } from './rk4.js';
import type { Transport, Workspace } from './transport.js';

/** How a flow's equation is solved; part of the model, since it decides the last digits of every result. */
export type Integrator = RungeKutta4 | DormandPrince5;

/** What each kind of integrator is described by, all of it in every model file. */
const FIELDS = { rk4: ['steps'], dopri5: ['rtol', 'atol', 'atolLogDet', 'maxSteps', 'maxStep'] } as const;

/**
 * The integrator of a model file.
 * @throws UsageError naming the field that is missing, unknown or out of range
 */
export function integratorFromDescription(value: unknown): Integrator {
  const description = value as Readonly<Record<string, unknown>>;
  const { kind, ...fields } = description;
  if (kind !== 'rk4' && kind !== 'dopri5') {
    throw new UsageError(`integrator.kind is ${brief(kind)}, expected "rk4" or "dopri5"`);
  }
  const names: readonly string[] = FIELDS[kind];
  const unknown = Object.keys(fields).find((name) => !names.includes(name));
  if (unknown !== undefined) {
    throw new UsageError(`integrator.${brief(unknown)} is unknown, ${kind} has ${names.join(', ')}`);
  }
  for (const name of names) {
    if (typeof fields[name] !== 'number') {
      throw new UsageError(`integrator.${name} is ${brief(fields[name])}, expected a number`);
    }
  }
  return kind === 'rk4' ? rk4(fields.steps as number) : dopri5(fields as Omit<DormandPrince5, 'kind'>);
}

/** Places a field at the times that the integrator knows beforehand. */
export function prepareField(
  integrator: Integrator,
  field: Field,
  kernels: Kernels,
  precision: Precision,
  options: PrepareOptions,
): PreparedField {
  const times = integrator.kind === 'rk4' ? stageTimes(integrator) : new Float64Array(1);
  return field.prepare(kernels, precision, times, options);
}

/** Readies an integrator for the samples of a workspace, through a field from `prepareField`. */
export function prepareTransport(integrator: Integrator, space: Workspace, field: PreparedField): Transport {
  return integrator.kind === 'rk4' ? fixedSteps(integrator, space, field) : adaptiveSteps(integrator, space, field);
}

/**
 * The fixed steps that training differentiates.
 * @throws UsageError naming `what` for an adaptive integrator
 */
export function requireRungeKutta4(integrator: Integrator, what: string): RungeKutta4 {
  if (integrator.kind === 'rk4') return integrator;
  throw new UsageError(
    `${what}: the model's integrator is ${integrator.kind}, and training differentiates the fixed steps of rk4: ` +
      'train with rk4 and choose dopri5 when sampling',
  );
}
