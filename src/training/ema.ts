import type { ParameterSet } from '../fields/index.js';

/**
 * Moves an exponential moving average of parameters one update on, in place. The decay grows with the number of updates
 * made, (1 + u)/(10 + u), up to `decay`, so that the average forgets the initial parameters.
 */
export function emaUpdate(average: ParameterSet, parameters: ParameterSet, decay: number, updates: number): void {
  const kept = Math.min(decay, (1 + updates) / (10 + updates));
  for (const [name, values] of Object.entries(average)) {
    const latest = parameters[name];
    for (let i = 0; i < values.length; i++) values[i] = kept * values[i] + (1 - kept) * latest[i];
  }
}
