import type { ExperimentRecord, Uncertain } from '../../experiment/record.js';
import { formatNumber, formatShare, NO_VALUE } from '../format.js';
import { COLORS } from '../palette.js';
import type { Study } from '../studies.js';
import type { Spec } from '../vega.js';
import { type KeyEntry, key, PERCENT_LABEL } from './key.js';
import { barrierDistance } from './pair-potential.js';
import { extent, pixels, structureLayers } from './structure.js';

const WIDTH = 960;
const HEIGHT = 250;
const STRUCTURES = 132;
const TEXT = 54;
/** Height of a bar's label as a fraction of the highest bar. */
const LABEL_HEIGHT = 0.09;
/** Share of a group's width that its bars fill. */
const FILLED = 0.84;

/** Per cent to two digits, without the sign: the axis has it. */
function barText(fraction: number): string {
  return formatShare(fraction).replace(/ %$/, '').replace('< ', '<');
}

/**
 * Shares of the minima among kept samples of every ensemble, with one standard error, over drawings of the minima. The
 * known equilibrium is a line across each group.
 */
export function sharesFigure(
  record: ExperimentRecord,
  { trainingSet, nBG, eqBG }: Study,
): { spec: Spec; caption: string } {
  const series = [
    {
      label: 'training set',
      fill: COLORS.training,
      stroke: COLORS.training,
      of: shareOf(trainingSet.view.minima, 'raw'),
    },
    { label: 'prior, untrained', fill: '#ececec', stroke: '#9a9a9a', of: shareOf(record.control.minima, 'raw') },
    { label: 'nBG', fill: COLORS.nBG, stroke: COLORS.nBG, of: shareOf(nBG.view.minima, 'raw') },
    { label: 'eqBG', fill: COLORS.eqBG, stroke: COLORS.eqBG, of: shareOf(eqBG.view.minima, 'raw') },
    { label: 'eqBG, reweighted', fill: '#d9ebf7', stroke: COLORS.eqBG, of: shareOf(eqBG.view.minima, 'reweighted') },
  ];
  const step = FILLED / series.length;
  const bars = record.minima.flatMap((_, m) =>
    series.map(({ fill, stroke, of }, s) => {
      const share = of(m);
      const known = share !== null && Number.isFinite(share.value);
      const error = known && Number.isFinite(share.standardError) ? share.standardError : 0;
      const value = known ? share.value : 0;
      return {
        x: m + (s - (series.length - 1) / 2) * step,
        m,
        fill,
        stroke,
        known,
        value,
        low: Math.max(0, value - error),
        high: value + error,
        error,
        text: known ? barText(value) : NO_VALUE,
      };
    }),
  );
  const truth = record.minima.map(({ equilibriumShare: { value, standardError } }, m) => ({
    x: m - (FILLED + 0.06) / 2,
    x2: m + (FILLED + 0.06) / 2,
    value,
    low: Math.max(0, value - standardError),
    high: value + standardError,
  }));
  const highest = Math.max(0.1, ...bars.map(({ high }) => high), ...truth.map(({ high }) => high));
  const labels = bars.map(({ x, high, text, m }) => {
    // A label that the line of the truth would cross goes above it.
    const line = truth[m].high;
    return { x, text, high: line > high && line < high + LABEL_HEIGHT * highest ? line : high };
  });
  const x = {
    field: 'x',
    type: 'quantitative',
    scale: { domain: [-0.5, record.minima.length - 0.5], nice: false, zero: false },
    axis: null,
  };
  const y = {
    type: 'quantitative',
    scale: { domain: [0, 1.1 * highest], nice: false },
    axis: { labelExpr: PERCENT_LABEL, tickCount: 5, grid: true, gridColor: COLORS.grid },
    title: 'share of kept samples',
  };
  const color = (field: string) => ({ field, type: 'nominal', scale: null, legend: null });
  const chart: Spec = {
    width: WIDTH,
    height: HEIGHT,
    layer: [
      {
        data: { values: bars.filter(({ known }) => known) },
        mark: { type: 'bar', width: (WIDTH / record.minima.length) * step - 5, strokeWidth: 1 },
        encoding: { x, y: { ...y, field: 'value' }, fill: color('fill'), stroke: color('stroke') },
      },
      {
        data: { values: bars.filter(({ error }) => error > 0) },
        mark: { type: 'rule', color: COLORS.ink, strokeWidth: 1.25 },
        encoding: { x, y: { ...y, field: 'low' }, y2: { field: 'high' } },
      },
      {
        data: { values: truth },
        mark: { type: 'rect', color: COLORS.equilibrium, opacity: 0.18 },
        encoding: { x, x2: { field: 'x2' }, y: { ...y, field: 'low' }, y2: { field: 'high' } },
      },
      {
        data: { values: truth },
        mark: { type: 'rule', color: COLORS.equilibrium, strokeWidth: 2 },
        encoding: { x, x2: { field: 'x2' }, y: { ...y, field: 'value' } },
      },
      {
        data: { values: labels },
        mark: { type: 'text', dy: -8 },
        encoding: { x, y: { ...y, field: 'high' }, text: { field: 'text', type: 'nominal' } },
      },
      ...key(
        [
          ...series.map(({ label, fill, stroke }): KeyEntry => ({ label, color: fill, stroke, as: 'area' })),
          { label: 'equilibrium, known', color: COLORS.equilibrium, as: 'line' },
        ],
        { x: 0, y: -18, direction: 'row' },
      ),
    ],
  };
  return {
    spec: {
      vconcat: [chart, structures(record, trainingSet.view.minima.shares)],
      spacing: 6,
      resolve: { scale: { x: 'independent' } },
    },
    caption: caption(record, trainingSet.view.minima, nBG.view.minima, eqBG.view.minima),
  };
}

type Minima = Study['eqBG']['view']['minima'];

function shareOf(minima: Minima, kind: 'raw' | 'reweighted'): (m: number) => Uncertain | null {
  return (m) => minima.shares[m][kind];
}

/** The minima in a row, each below its group of bars, with energy, equilibrium share and presence in the training set. */
function structures({ minima, pairPotential }: ExperimentRecord, training: Minima['shares']): Spec {
  const column = WIDTH / minima.length;
  const radius = 7;
  const widest = Math.max(...minima.map(({ x }) => extent(x)));
  const scale = (Math.min(column, STRUCTURES) / 2 - radius - 2) / widest;
  const middle = (m: number) => (m + 0.5) * column;
  const placed = minima.map(({ x }, m) => ({ x, centerX: middle(m), centerY: STRUCTURES / 2, scale }));
  const height = STRUCTURES + TEXT;
  const lines = minima.flatMap(({ energy, equilibriumShare }, m) => [
    { x: middle(m), y: STRUCTURES + 10, text: `U = ${formatNumber(energy, 2)} kT` },
    { x: middle(m), y: STRUCTURES + 26, text: `equilibrium ${formatShare(equilibriumShare.value)}` },
  ]);
  const absent = minima.flatMap((_, m) =>
    training[m].raw.value === 0 ? [{ x: middle(m), y: STRUCTURES + 42, text: 'not in the training set' }] : [],
  );
  const text = { text: { field: 'text', type: 'nominal' } };
  return {
    width: WIDTH,
    height,
    encoding: pixels(WIDTH, height),
    layer: [
      ...structureLayers(placed, { barrier: barrierDistance(pairPotential) ?? 0, radius, labelled: false }),
      { data: { values: lines }, mark: { type: 'text', baseline: 'middle' }, encoding: text },
      {
        data: { values: absent },
        mark: { type: 'text', baseline: 'middle', color: COLORS.eqBG, fontWeight: 'bold' },
        encoding: text,
      },
    ],
  };
}

function caption({ energyCutoff, minima }: ExperimentRecord, training: Minima, nBG: Minima, eqBG: Minima): string {
  const found = ({ shares }: Minima) => shares.filter(({ raw }) => raw.value > 0).length;
  const kept = ({ keptFraction }: Minima) => formatShare(keptFraction.value);
  return (
    `Minima into which samples fall when minimised, up to rotation, reflection and exchange of particles. Only samples with ` +
    `U ≤ ${formatNumber(energyCutoff, 2)} kT are kept: ${kept(nBG)} of nBG’s and ${kept(eqBG)} of eqBG’s. Of the ${minima.length} minima ` +
    `${found(training)} occur in the training set, ${found(nBG)} among nBG’s samples and ${found(eqBG)} among eqBG’s. Thick black lines are ` +
    'the known equilibrium shares (band: their error), numbers are per cent, error bars one standard error.'
  );
}
