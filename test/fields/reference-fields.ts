import { type Field, KernelField } from '../../src/fields/index.js';
import { type ContinuousFlow, continuousFlow } from '../../src/flows/index.js';
import { type RungeKutta4, rk4 } from '../../src/integrators/index.js';
import { meanFreeNormal } from '../../src/priors/index.js';
import type { KernelFieldParameters } from '../twin/kernel-field.js';
import { type FieldCase, flatten, loadReference } from '../twin/reference.js';

/** The cases of the reference file by name: `dw4` and `lj13`. */
export function referenceCase(name: string): FieldCase {
  const found = loadReference().fields.find((field) => field.name === name);
  if (!found) throw new Error(`no reference field ${name}`);
  return found;
}

export function referenceParameters({ parameters }: FieldCase): KernelFieldParameters {
  const { weights, bias, importance, mu, logGamma, muTime, logGammaTime } = parameters;
  return {
    weights: flatten(weights),
    bias: flatten(bias),
    importance: flatten(importance),
    mu: flatten(mu),
    logGamma: flatten(logGamma),
    muTime: flatten(muTime),
    logGammaTime: flatten(logGammaTime),
  };
}

export function referenceField(field: FieldCase): KernelField {
  return new KernelField(field.particles, field.dimensions, { ...referenceParameters(field) });
}

/** A flow through `field` from a standard-normal prior. */
export function flowThrough(field: Field, steps: number): ContinuousFlow<RungeKutta4> {
  return continuousFlow(meanFreeNormal(field.particles, field.dimensions), field, rk4(steps));
}

/** Where the radial tables of a field end: max_k(μ_k + 6γ_k). */
export function reach({ mu, logGamma }: KernelFieldParameters): number {
  return mu.reduce((far, center, k) => Math.max(far, center + 6 * Math.exp(logGamma[k])), 0);
}

/** The slope of the least-squares line through (log x, log y): an observed order of convergence. */
export function observedOrder(x: readonly number[], y: readonly number[]): number {
  const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
  const [u, v] = [x.map(Math.log), y.map(Math.log)];
  const [uMean, vMean] = [mean(u), mean(v)];
  const covariance = u.reduce((sum, value, i) => sum + (value - uMean) * (v[i] - vMean), 0);
  return covariance / u.reduce((sum, value) => sum + (value - uMean) ** 2, 0);
}
