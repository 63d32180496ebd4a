import type { KnownAnswers, KnownMinimum, KnownValue } from './system.js';

/**
 * A value and its standard error; 0 where the digits given are exact, one unit of the last digit where sampling gave more
 * digits than were kept.
 */
function known(value: number, standardError = 0): KnownValue {
  return { value, standardError };
}

const QUADRATURE = 'quadrature over the pair distance, exact to the digits given';
const SAMPLING = 'annealed importance sampling and long equilibrated Metropolis Monte Carlo; two settings agree';

/** The pair potential is symmetric about d = 4, so that both of its minima have the same energy. */
function dw2Minima(dimensions: number, short: number): KnownMinimum[] {
  // u(4 ± s) is lowest at s² = 4/1.8, where u = −4²/(4·0.9).
  const s = Math.sqrt(4 / 1.8);
  return [4 - s, 4 + s].map((d, m) => {
    const rest = new Array<number>(dimensions - 1).fill(0);
    return {
      energy: -40 / 9,
      x: [d / 2, ...rest, -d / 2, ...rest],
      population: known(m === 0 ? short : 1 - short),
    };
  });
}

export function dw2Answers(dimensions: 2 | 3): KnownAnswers {
  const short = dimensions === 2 ? 0.3246123 : 0.1892418;
  const common = {
    source: QUADRATURE,
    minima: dw2Minima(dimensions, short),
    shortPairs: { cutoff: 4, probabilities: [known(1 - short), known(short)] },
  };
  if (dimensions === 2) {
    return {
      ...common,
      logZ: known(7.260393),
      meanEnergy: known(-3.870727),
      entropy: known(3.389666),
      energyStandardDeviation: known(0.79668),
      meanPairDistance: known(4.515091),
      meanSquaredNorm: known(11.090545),
    };
  }
  return {
    ...common,
    logZ: known(9.114392),
    meanEnergy: known(-3.881377),
    entropy: known(5.233014),
    energyStandardDeviation: known(0.784283),
    meanPairDistance: known(4.912657),
    meanSquaredNorm: known(12.697731),
  };
}

/**
 * Coordinates along the axes of symmetry, with gradient norms below 1e-10. In order: a bent chain of three and one apart, a
 * triangle with a tail, a rectangle, a rhombus, a triangle around a particle.
 */
const DW4_MINIMA: readonly KnownMinimum[] = [
  {
    energy: -25.792201701571,
    x: [3.782995837156, 0, -1.637941648163, 0, -1.072527094496, -2.639094887979, -1.072527094496, 2.639094887979],
    population: known(0.47805, 0.0009),
  },
  {
    energy: -25.31244539286,
    x: [1.891433615211, 1.238476984257, 1.891433615211, -1.238476984257, -0.466886213196, 0, -3.315981017227, 0],
    population: known(0.41264, 0.0009),
  },
  {
    energy: -24.352428341244,
    x: [
      2.580808753983, 1.206165428333, 2.580808753983, -1.206165428333, -2.580808753983, -1.206165428333,
      -2.580808753983, 1.206165428333,
    ],
    population: known(0.06357, 0.0003),
  },
  {
    energy: -23.465431759315,
    x: [0, -1.192295074884, 2.429693144134, 0, 0, 1.192295074884, -2.429693144134, 0],
    population: known(0.03915, 0.0002),
  },
  {
    energy: -21.066478406493,
    x: [-1.526595820299, -2.64414152338, 3.053191640598, 0, -1.526595820299, 2.64414152338, 0, 0],
    population: known(0.00659, 0.0001),
  },
];

/**
 * Averages by quadrature (examples/dw4-quadrature.mjs). Probabilities of minima and of short pairs by reweighting 2·10⁶ samples
 * of a trained flow (examples/dw4-populations.mjs), with which long HMC runs agree. Values in circulation, log Z 29.6845 and
 * ⟨d⟩ 4.048 among them, come from Metropolis runs that had not quite equilibrated between the two lowest basins.
 */
export const DW4_ANSWERS: KnownAnswers = {
  source: 'averages by quadrature, exact to the digits given; populations by reweighting a trained flow',
  logZ: known(29.667232),
  meanEnergy: known(-22.54151),
  entropy: known(7.125723),
  energyStandardDeviation: known(1.905, 0.001),
  minima: DW4_MINIMA,
  shortPairs: {
    cutoff: 4,
    probabilities: [
      known(0, 0.0001),
      known(0.00094, 0.00002),
      known(0.51723, 0.0009),
      known(0.03491, 0.0002),
      known(0.40651, 0.0009),
      known(0.03977, 0.0002),
      known(0.00064, 0.00007),
    ],
  },
  meanPairDistance: known(4.044987),
  meanSquaredNorm: known(27.274633),
};

/** By particles, then by pairFactor. */
const LENNARD_JONES: Readonly<Record<number, Readonly<Record<number, KnownAnswers>>>> = {
  13: {
    1: {
      source: SAMPLING,
      logZ: known(39.242, 0.003),
      meanEnergy: known(0.546, 0.014),
      entropy: known(39.79, 0.02),
      energyStandardDeviation: known(6.34, 0.01),
    },
    2: {
      source: SAMPLING,
      logZ: known(59.894, 0.006),
      meanEnergy: known(-42.974, 0.018),
      entropy: known(16.92, 0.02),
      energyStandardDeviation: known(6.93, 0.01),
    },
  },
  55: {
    2: {
      source: SAMPLING,
      logZ: known(383.4, 0.6),
      meanEnergy: known(-325.6, 0.15),
      entropy: known(57.8, 0.6),
      energyStandardDeviation: known(13.7, 0.1),
    },
  },
};

/** Known answers of a trapped Lennard-Jones cluster, where there are any. */
export function lennardJonesAnswers(particles: number, pairFactor: number): KnownAnswers {
  return (
    LENNARD_JONES[particles]?.[pairFactor] ?? {
      source: `nothing is known for ${particles} particles at pairFactor ${pairFactor}`,
    }
  );
}
