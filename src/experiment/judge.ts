import type { Conditions } from './conditions.js';
import { distancesFrom, type Reference } from './distances.js';
import { type AnalysedEnsemble, analyseEnsemble, type Ensemble } from './ensemble.js';
import type { EnsembleView } from './record.js';

/** Looks at every ensemble in the same way. */
export interface EnsembleJudge {
  /** Minimises what is kept of the first configurations, `ExperimentSettings.minimized` unless told otherwise. */
  analyse(ensemble: Ensemble, limit?: number): Promise<AnalysedEnsemble>;
  /** How far it is from equilibrium, where each configuration is worth that many independent ones, 1 by default. */
  distances(ensemble: Ensemble, independentFraction?: number): NonNullable<EnsembleView['distances']>;
}

export function ensembleJudge(conditions: Conditions, reference: Reference): EnsembleJudge {
  const { system, settings, pool, interruption } = conditions;
  const { energyCutoff: cutoff, minimized } = settings;
  return {
    analyse: (ensemble, limit = minimized) =>
      analyseEnsemble(system, ensemble, { cutoff, limit, pool, ...interruption }),
    distances: (ensemble, independentFraction = 1) =>
      distancesFrom(system, reference, ensemble, minimized, independentFraction),
  };
}
