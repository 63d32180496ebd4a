/* What an integrator makes of log q, and what it takes: for the suite and for models from files. */
import { type ContinuousFlow, prepareFlow } from '../src/flows/index.js';
import { dopri5, type IntegrationStatistics, type Integrator } from '../src/integrators/index.js';
import type { Precision } from '../src/kernels/index.js';
import { SEED } from './cases.js';
import { type Contender, inProcess } from './rounds.js';

const EXACT = dopri5({ rtol: 1e-11, atolLogDet: 1e-9, maxSteps: 1_000_000 });

/** The share of samples that a "99 %" error is about. */
export const SHARE = 0.99;

export interface IntegratorStudy {
  /** Draws the samples. */
  readonly contender: Contender;
  readonly statistics: IntegrationStatistics;
  /** Of log q as sampled against that of the exact flow at the same configuration, nats. */
  readonly error: { readonly rms: number; readonly most: number; readonly largest: number };
}

/** Draws `samples` samples with each integrator; of the first `checked` log q is compared with f64 at a tolerance of 1e-11. */
export function studyIntegrators(
  { prior, field }: ContinuousFlow,
  integrators: readonly (readonly [name: string, integrator: Integrator])[],
  precision: Precision,
  samples: number,
  checked = samples,
): IntegratorStudy[] {
  const exact = prepareFlow({ prior, field, integrator: EXACT }, 'f64');
  return integrators.map(([name, integrator]) => {
    const runner = prepareFlow({ prior, field, integrator }, precision);
    const draw = () => runner.sample(SEED, 0, samples);
    const { x, logQ } = draw();
    const statistics = runner.takeStatistics();
    const errors = exact
      .logProb(x, checked)
      .map((value, s) => Math.abs(value - logQ[s]))
      .sort();
    return {
      contender: inProcess(name, samples, draw),
      statistics,
      error: {
        rms: Math.sqrt(errors.reduce((sum, error) => sum + error * error, 0) / checked),
        most: errors[Math.ceil(SHARE * checked) - 1],
        largest: errors[checked - 1],
      },
    };
  });
}
