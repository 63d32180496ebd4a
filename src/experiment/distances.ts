import { type DistanceEstimate, energyW2, pairDistributionDistances } from '../analysis/index.js';
import { normalizedWeights } from '../reweighting/index.js';
import type { System } from '../systems/index.js';
import type { Ensemble } from './ensemble.js';
import type { EnsembleView, EquilibriumDistance, EquilibriumDistances } from './record.js';

/** Bins of the pair distance; distances of distributions grow with their number. */
const AXIS = { min: 0, max: 10, bins: 100 };

/** An equilibrium ensemble and how many independent configurations it is worth. */
export interface Reference extends Ensemble {
  readonly independentSamples: number;
}

/** Distances from equilibrium of the first `limit` configurations of an ensemble, as drawn and reweighted. */
export function distancesFrom(
  system: System,
  reference: Reference,
  { x, energy, n, logWeight }: Ensemble,
  limit: number,
  independentFraction = 1,
): NonNullable<EnsembleView['distances']> {
  const count = Math.min(n, limit);
  const C = system.particles * system.dimensions;
  const [rows, energies] = [x.subarray(0, count * C), energy.subarray(0, count)];
  const independent = { independentSamples: Math.max(1, independentFraction * count) };
  const { independentSamples } = reference;
  const of = (weights?: Float64Array): EquilibriumDistances => {
    const worth = { ...independent, ...(weights ? { weights } : {}) };
    const [pairs] = pairDistributionDistances(
      system,
      { x: rows, n: count, ...worth },
      { x: reference.x, n: reference.n, independentSamples },
      AXIS,
    );
    return {
      energyW2: distance(energyW2({ values: energies, ...worth }, { values: reference.energy, independentSamples })),
      pairDistanceTv: distance(pairs),
    };
  };
  return {
    raw: of(),
    reweighted: logWeight ? of(normalizedWeights(logWeight.subarray(0, count))) : null,
  };
}

function distance({ value, standardError, diagnostics, distinguishable }: DistanceEstimate): EquilibriumDistance {
  const { noiseFloor, noiseFloorSpread } = diagnostics;
  return { value, standardError, floor: noiseFloor, floorSpread: noiseFloorSpread, distinguishable };
}
