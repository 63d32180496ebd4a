import type { ReweightedProfile, TracePoint } from '../../sampling/index.js';
import { formatShare } from '../format.js';
import { COLORS } from '../palette.js';
import type { Spec } from '../vega.js';
import { axis, bandLayers, DRAWN, staircase, WEIGHTED } from './band.js';
import { key } from './key.js';

const WIDTH = 452;
const HEIGHT = 230;

/** Free energies in units of kT beyond which a state does not matter, and bins hold samples by accident. */
const HIGHEST = 16;

export interface Figure {
  readonly spec: Spec;
  readonly caption: string;
}

const KEY = [
  { label: 'as drawn', color: DRAWN, as: 'area' },
  { label: 'weighted', color: WEIGHTED, as: 'line' },
] as const;

/**
 * A histogram of the samples as they were drawn (grey) and with their weights (blue, band of one standard error).
 *
 * @param measure divides the densities of each bin, for example by the volume of its shell; 1 if absent
 */
export function histogramFigure(
  { edges, density, densityError, outside, plain }: ReweightedProfile,
  {
    title,
    x,
    y,
    measure = () => 1,
    note = '',
    keyAt = 'right',
  }: {
    title: string;
    x: string;
    y: string;
    measure?: (bin: number) => number;
    note?: string;
    keyAt?: 'left' | 'right';
  },
): Figure {
  const weighted = staircase(
    edges,
    (b) => density[b] / measure(b),
    (b) => finite(densityError[b]) / measure(b),
  );
  const drawn = staircase(
    edges,
    (b) => plain.density[b] / measure(b),
    () => 0,
  );
  const top = Math.max(1e-300, ...[...weighted, ...drawn].map((point) => point.y));
  return {
    spec: {
      width: WIDTH,
      height: HEIGHT,
      title: { text: title },
      encoding: {
        x: { field: 'x', ...axis(x, [edges[0], edges[edges.length - 1]]) },
        y: axis(y, [0, 1.12 * top], { axis: { tickCount: 4 } }),
      },
      layer: [
        {
          data: { values: drawn },
          mark: { type: 'area', interpolate: 'step-after', color: DRAWN, clip: true },
          encoding: { y: { field: 'y', type: 'quantitative' } },
        },
        ...bandLayers(weighted, WEIGHTED, 'step-after'),
        ...key(KEY, { x: keyAt === 'left' ? 16 : WIDTH - 96, y: 10 }),
      ],
    },
    caption: `${note}Grey: samples as drawn, of which ${formatShare(plain.outside)} lie beyond the axis; blue: with their weights (${formatShare(outside)} beyond), band of one standard error.`,
  };
}

/** −log p in units of kT along a coordinate, weighted with its band and as drawn. */
export function freeEnergyFigure(profile: ReweightedProfile, title: string, x: string): Figure {
  const { edges, freeEnergy, freeEnergyError, plain } = profile;
  const centre = (bin: number) => (edges[bin] + edges[bin + 1]) / 2;
  const lowest = Math.min(...freeEnergy);
  const drawnLevel = -Math.log(Math.max(...plain.density));
  const weighted = bins(freeEnergy).map((b) => {
    const y = freeEnergy[b] - lowest;
    const error = finite(freeEnergyError[b]);
    return { x: centre(b), y, low: y - error, high: y + error };
  });
  const drawn = bins(plain.density)
    .filter((b) => plain.density[b] > 0)
    .map((b) => ({ x: centre(b), y: -Math.log(plain.density[b]) - drawnLevel }));
  const top = Math.min(HIGHEST, Math.max(1, ...weighted.map(({ y }) => y)));
  return {
    spec: {
      width: WIDTH,
      height: HEIGHT,
      title: { text: title },
      encoding: {
        x: { field: 'x', ...axis(x, [edges[0], edges[edges.length - 1]]) },
        y: axis('F  (kT)', [-0.03 * top, 1.15 * top], { axis: { tickCount: 5 } }),
      },
      layer: [
        {
          data: { values: drawn },
          mark: { type: 'line', color: COLORS.training, strokeDash: [5, 3], strokeWidth: 1.5, clip: true },
          encoding: { y: { field: 'y', type: 'quantitative' } },
        },
        ...bandLayers(weighted, WEIGHTED, 'linear'),
        ...key(
          [
            { label: 'as drawn', color: COLORS.training, as: 'dashed' },
            { label: 'weighted', color: WEIGHTED, as: 'line' },
          ],
          { x: WIDTH / 2 - 40, y: 10 },
        ),
      ],
    },
    caption:
      'Free energy −log p from the weighted samples (blue, band of one standard error; bins that one sample decides have none) and from the samples as they were drawn (dashed). Each curve has its lowest point at zero.',
  };
}

/** Effective samples of the first n, as a share of n. */
export function essFigure(trace: readonly TracePoint[]): Figure {
  const shares = trace.filter(({ ess }) => ess > 0).map(({ n, ess }) => ({ x: n, y: (100 * ess) / n }));
  return {
    spec: {
      width: WIDTH,
      height: HEIGHT,
      title: { text: 'Effective samples against n' },
      data: { values: shares },
      mark: { type: 'line', color: WEIGHTED, strokeWidth: 2 },
      encoding: {
        x: { field: 'x', ...samplesAxis(trace) },
        y: { field: 'y', ...axis('ESS/n  (%)', [0, 1.15 * Math.max(...shares.map(({ y }) => y), 1e-9)]) },
      },
    },
    caption:
      'Kish\u2019s effective size of the first n samples as a share of n: one that falls as n grows betrays rare samples that weigh more than all before them.',
  };
}

/** log Z of the first n samples. */
export function logZFigure(trace: readonly TracePoint[]): Figure {
  const bands = trace
    .filter(({ logZ }) => Number.isFinite(logZ))
    .map(({ n, logZ, standardError: e }) => ({ x: n, y: logZ, low: logZ - finite(e), high: logZ + finite(e) }));
  const settled = bands.slice(Math.floor(bands.length / 4));
  const [low, high] = [Math.min(...settled.map((p) => p.low)), Math.max(...settled.map((p) => p.high))];
  const margin = 0.15 * Math.max(high - low, 1e-9 * Math.abs(high), 1e-12);
  return {
    spec: {
      width: WIDTH,
      height: HEIGHT,
      title: { text: 'log Z against n' },
      encoding: {
        x: { field: 'x', ...samplesAxis(trace) },
        y: axis('log Z  (nats)', [low - margin, high + margin]),
      },
      layer: bandLayers(bands, WEIGHTED, 'linear'),
    },
    caption:
      'log Z, minus the free energy in units of kT, of the first n samples with the error of the delta method: a jump is one sample that outweighs many.',
  };
}

function samplesAxis(trace: readonly TracePoint[]): Spec {
  const domain = [trace[0]?.n ?? 1, Math.max(2, trace.at(-1)?.n ?? 2)] as const;
  return axis('samples n', domain, { scale: { type: 'log' }, axis: { tickCount: 5, format: '~s' } });
}

const finite = (value: number) => (Number.isFinite(value) ? value : 0);

function bins(values: Float64Array): number[] {
  return [...values.keys()].filter((b) => Number.isFinite(values[b]));
}
