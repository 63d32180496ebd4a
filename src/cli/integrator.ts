import { UsageError } from '../errors.js';
import { type BoltzmannGenerator, integratedBy } from '../flows/index.js';
import { dopri5, type IntegrationStatistics, type Integrator, rk4 } from '../integrators/index.js';
import type { IntegratorOptions } from './integrator-options.js';

const ADAPTIVE = ['rtol', 'atol', 'atolLogDet', 'maxSteps'] as const;
const FLAGS = { rtol: '--rtol', atol: '--atol', atolLogDet: '--atol-log-det', maxSteps: '--max-steps' } as const;

/**
 * The generator with the integrator that the options ask for, its own without any. Tolerances that are not given follow from
 * `rtol` as for a new dopri5; without `rtol`, they are the model's if it has any.
 * @throws UsageError for options of one kind with the other
 */
export function withIntegrator(generator: BoltzmannGenerator, options: IntegratorOptions): BoltzmannGenerator {
  const { integrator: own } = generator.flow;
  const adaptive = ADAPTIVE.filter((name) => options[name] !== undefined);
  const kind = options.integrator ?? (options.steps !== undefined ? 'rk4' : adaptive.length > 0 ? 'dopri5' : own.kind);
  if (kind === 'rk4' && adaptive.length > 0) {
    throw new UsageError(`${FLAGS[adaptive[0]]} belongs to --integrator dopri5; rk4 has --steps`);
  }
  if (kind === 'dopri5' && options.steps !== undefined) {
    throw new UsageError(
      '--steps belongs to --integrator rk4; dopri5 has --rtol, --atol, --atol-log-det and --max-steps',
    );
  }
  const { steps, rtol, atol, atolLogDet, maxSteps } = options;
  let chosen: Integrator = own;
  if (kind === 'rk4' && (own.kind !== 'rk4' || steps !== undefined)) chosen = rk4(steps);
  if (kind === 'dopri5' && (own.kind !== 'dopri5' || adaptive.length > 0)) {
    const { kind: _, ...settings } = own.kind === 'dopri5' ? own : dopri5();
    const { maxStep } = settings;
    const base = rtol === undefined ? settings : { rtol, maxStep, maxSteps: settings.maxSteps };
    chosen = dopri5({
      ...base,
      ...(atol === undefined ? {} : { atol }),
      ...(atolLogDet === undefined ? {} : { atolLogDet }),
      ...(maxSteps === undefined ? {} : { maxSteps }),
    });
  }
  return integratedBy(generator, chosen);
}

/** One line on what an adaptive integrator did. */
export function integrationLine({ samples, steps, rejected, evaluations, mostSteps }: IntegrationStatistics): string {
  const mean = (count: number) => (count / samples).toFixed(1);
  return (
    `dopri5: ${mean(steps)} steps a sample (at most ${mostSteps}), ${((100 * rejected) / (steps + rejected)).toFixed(1)} % ` +
    `rejected, ${mean(evaluations)} evaluations of the field`
  );
}
