import type { ExperimentRecord } from '../../experiment/record.js';
import { COLORS } from '../palette.js';
import type { Spec } from '../vega.js';
import { PERCENT_LABEL } from './key.js';

const WIDTH = 330;
const HEIGHT = 250;

/** Share in minima absent from the training set, one point per training seed and generator, and the mean over seeds. */
export function claimFigure({ claim }: ExperimentRecord): { spec: Spec; caption: string } {
  const sides = [
    { label: 'nBG', place: 0 },
    { label: 'eqBG', place: 1 },
  ] as const;
  const points = claim.seeds.flatMap(({ seed, ...shares }) =>
    sides.flatMap(({ label, place }) => {
      const { value, standardError } = shares[label];
      if (!Number.isFinite(value)) return [];
      const error = Number.isFinite(standardError) ? standardError : 0;
      return [{ seed, label, place, value, low: Math.max(0, value - error), high: value + error }];
    }),
  );
  const means = sides.flatMap(({ label, place }) => {
    const { value, standardError } = claim[label];
    if (!Number.isFinite(value)) return [];
    const error = Number.isFinite(standardError) ? standardError : 0;
    const beside = place === 0 ? -0.3 : 1.3;
    return [{ label, place: beside, value, low: Math.max(0, value - error), high: value + error }];
  });
  const highest = Math.max(0.02, ...[...points, ...means].map(({ high }) => high));
  const color = {
    field: 'label',
    type: 'nominal',
    scale: { domain: ['nBG', 'eqBG'], range: [COLORS.nBG, COLORS.eqBG] },
    legend: null,
  };
  const x = {
    field: 'place',
    type: 'quantitative',
    scale: { domain: [-0.6, 1.6], nice: false, zero: false },
    axis: {
      values: [0, 1],
      labelExpr: "datum.value === 0 ? 'nBG' : 'eqBG'",
      labelFontSize: 13,
      ticks: false,
      labelPadding: 8,
    },
    title: null,
  };
  const y = {
    type: 'quantitative',
    scale: { domain: [0, 1.08 * highest], nice: false },
    axis: { labelExpr: PERCENT_LABEL, tickCount: 5, grid: true, gridColor: COLORS.grid },
    title: 'share in absent minima',
  };
  const value = { ...y, field: 'value' };
  const bar = { y: { ...y, field: 'low' }, y2: { field: 'high' } };
  const plural = claim.seeds.length === 1 ? 'seed' : 'seeds';
  return {
    spec: {
      width: WIDTH,
      height: HEIGHT,
      layer: [
        {
          data: { values: points },
          mark: { type: 'line', color: '#c4cad1', strokeWidth: 1 },
          encoding: { x, y: value, detail: { field: 'seed', type: 'nominal' } },
        },
        { data: { values: points }, mark: { type: 'rule', strokeWidth: 1 }, encoding: { x, ...bar, color } },
        {
          data: { values: points },
          mark: { type: 'circle', size: 60, opacity: 0.85 },
          encoding: { x, y: value, color },
        },
        { data: { values: means }, mark: { type: 'rule', strokeWidth: 2 }, encoding: { x, ...bar, color } },
        {
          data: { values: means },
          mark: { type: 'point', shape: 'diamond', filled: true, size: 150, opacity: 1 },
          encoding: { x, y: value, color },
        },
      ],
    },
    caption:
      `Share of kept samples in the ${claim.absentMinima.length} minima that the biased training set does not contain. Circles: ` +
      `${claim.seeds.length} training ${plural}, the two generators of a seed joined by a line. Diamonds: mean over seeds; ` +
      'bars are one standard error.',
  };
}
