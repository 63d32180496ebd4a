import { histogram2d } from '../../analysis/index.js';
import type { EnsembleView, ExperimentRecord } from '../../experiment/record.js';
import { formatShare } from '../format.js';
import { COLORS, DENSITY_RAMP } from '../palette.js';
import type { Study } from '../studies.js';
import type { Spec } from '../vega.js';

const BINS = 44;
const SIZE = 208;
/** Leaves a margin around the farthest particle of an equilibrium sample. */
const MARGIN = 1.1;
/** The colour scale starts at this fraction of the densest cell at equilibrium: below are a few counts and their noise. */
const SCALE_START = 1 / 20;

/** Ticks at 1, 2 and 5 of every power of ten between two positive numbers. */
function decades(from: number, to: number): number[] {
  const orders = Array.from({ length: 40 }, (_, i) => i - 20);
  return orders.flatMap((order) => [1, 2, 5].map((d) => Number(`${d}e${order}`))).filter((v) => v >= from && v <= to);
}

/** Half the side of the square that holds all equilibrium samples, to the next half unit. */
function halfWidth({ equilibrium, minima }: ExperimentRecord): number {
  const coordinates = [...equilibrium.firstParticle, ...minima.flatMap(({ x }) => x)].flat();
  const largest = coordinates.reduce((most, c) => (Number.isFinite(c) ? Math.max(most, Math.abs(c)) : most), 1);
  return Math.ceil(2 * MARGIN * largest) / 2;
}

function cells({ firstParticle }: EnsembleView, half: number) {
  const points = firstParticle.filter((point) => point.every(Number.isFinite));
  if (points.length === 0) return { values: [], outside: 0 };
  const axis = { min: -half, max: half, bins: BINS };
  const { density, xEdges, yEdges, outside } = histogram2d(
    points.map(([x]) => x),
    points.map(([, y]) => y),
    axis,
    axis,
  );
  const values = [];
  for (let i = 0; i < BINS; i++) {
    for (let j = 0; j < BINS; j++) {
      const p = density[i * BINS + j];
      if (p > 0) values.push({ x: xEdges[i], x2: xEdges[i + 1], y: yEdges[j], y2: yEdges[j + 1], p });
    }
  }
  return { values, outside };
}

/**
 * Panels (b) and (d): marginal density of the first particle's position, centre of mass at the origin, on one scale for
 * training set, generators and equilibrium. The colour is logarithmic, for a trajectory
 * in one arrangement is an order of magnitude denser than the ring that equilibrium fills.
 */
export function positionFigure(
  record: ExperimentRecord,
  { trainingSet, nBG, eqBG }: Study,
): { spec: Spec; caption: string } {
  const half = halfWidth(record);
  const panels = [
    { title: 'training set', color: COLORS.muted, ...cells(trainingSet.view, half) },
    { title: '(b)  nBG', color: COLORS.nBG, ...cells(nBG.view, half) },
    { title: '(d)  eqBG', color: COLORS.eqBG, ...cells(eqBG.view, half) },
    { title: 'equilibrium', color: COLORS.equilibrium, ...cells(record.equilibrium, half) },
  ];
  const densest = (values: readonly { p: number }[]) => values.reduce((most, { p }) => Math.max(most, p), 0);
  const highest = Math.max(...panels.map(({ values }) => densest(values)), 1e-9);
  const reference = densest(panels[panels.length - 1].values);
  // Without equilibrium samples there is nothing to measure the scale by but the densest cell.
  const start = SCALE_START * (reference > 0 ? reference : highest);
  const scale = { domain: [-half, half], nice: false };
  const axis = { values: [-Math.floor(half), 0, Math.floor(half)] };
  const panel = ({ title, color, values }: (typeof panels)[number], first: boolean): Spec => ({
    width: SIZE,
    height: SIZE,
    view: { stroke: COLORS.rule },
    title: { text: title, color },
    data: { values },
    mark: { type: 'rect' },
    encoding: {
      x: { field: 'x', type: 'quantitative', scale, axis, title: 'x₁  (length)' },
      x2: { field: 'x2' },
      y: { field: 'y', type: 'quantitative', scale, axis, title: first ? 'y₁  (length)' : null },
      y2: { field: 'y2' },
      color: {
        field: 'p',
        type: 'quantitative',
        scale: { type: 'log', domain: [start, highest], range: DENSITY_RAMP, clamp: true, nice: false },
        legend: {
          title: ['density', '(1/area)'],
          gradientLength: SIZE - 44,
          values: decades(start, highest),
          format: '~g',
        },
      },
    },
  });
  const outside = panels
    .filter((entry) => entry.outside >= 0.001)
    .map((entry) => `${formatShare(entry.outside)} (${entry.title.replace(/^\(.\)\s+/, '')})`);
  return {
    spec: { hconcat: panels.map((entry, i) => panel(entry, i === 0)), spacing: 16 },
    caption:
      'Marginal density of the first particle’s position relative to the centre of mass, in the dimensionless length of the ' +
      'potential; one logarithmic colour scale, white where no sample fell. At equilibrium it depends on the radius alone.' +
      (outside.length > 0 ? ` Outside the squares: ${outside.join(', ')}.` : ''),
  };
}
