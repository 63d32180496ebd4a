import { histogram } from '../../analysis/index.js';
import type { EnsembleView, ExperimentRecord } from '../../experiment/record.js';
import { formatShare } from '../format.js';
import { COLORS } from '../palette.js';
import type { Study } from '../studies.js';
import type { Spec } from '../vega.js';
import { key } from './key.js';

/** Three times the range from the lowest minimum to the cutoff shows where thermal energies end and a tail begins. */
const RANGE = 3;
const BIN_WIDTH = 0.25;
const HEIGHT = 210;

interface Window {
  readonly min: number;
  readonly max: number;
  readonly bins: number;
}

function energyWindow({ minima, energyCutoff }: ExperimentRecord): Window {
  const lowest = Math.min(...minima.map(({ energy }) => energy));
  const min = Math.floor(lowest) - 1;
  const max = Math.ceil(lowest + RANGE * Math.max(1, energyCutoff - lowest));
  return { min, max, bins: Math.round((max - min) / BIN_WIDTH) };
}

/** Density on the window as a staircase, and the share of samples that lies above it. */
function staircase({ energies }: EnsembleView, window: Window) {
  // Energies that overflowed lie beyond any axis.
  const values = energies.map((energy) => (Number.isFinite(energy) ? energy : Number.POSITIVE_INFINITY));
  if (values.length === 0) return { points: [], beyond: 0 };
  const { edges, density } = histogram(values, window);
  const points = Array.from(edges, (U, i) => ({ U, p: i < density.length ? density[i] : 0 }));
  return { points, beyond: values.filter((energy) => energy > window.max).length / values.length };
}

/**
 * Panels (a) and (c): energies of nBG and eqBG samples beside those of training set and equilibrium. Densities in 1/kT
 * integrate to the share of samples that the axis holds.
 *
 * @param width of one panel in pixels
 */
export function energyFigure(
  record: ExperimentRecord,
  { trainingSet, nBG, eqBG }: Study,
  width: number,
): { spec: Spec; caption: string } {
  const window = energyWindow(record);
  const training = staircase(trainingSet.view, window);
  const truth = staircase(record.equilibrium, window);
  const generated = [
    { run: nBG, panel: 'a', ...staircase(nBG.view, window) },
    { run: eqBG, panel: 'c', ...staircase(eqBG.view, window) },
  ];
  const highest = Math.max(0.01, ...[training, truth, ...generated].flatMap(({ points }) => points.map(({ p }) => p)));
  const x = {
    field: 'U',
    type: 'quantitative',
    scale: { domain: [window.min, window.max], nice: false },
    title: 'energy U  (kT)',
  };
  const y = {
    field: 'p',
    type: 'quantitative',
    scale: { domain: [0, 1.08 * highest], nice: false },
    axis: { tickCount: 4 },
    title: 'density  (1/kT)',
  };
  const panel = ({ run, panel, points, beyond }: (typeof generated)[number]): Spec => ({
    width,
    height: HEIGHT,
    title: { text: `(${panel})  ${run.label}`, color: COLORS[run.label] },
    encoding: { x, y },
    layer: [
      {
        data: { values: training.points },
        mark: { type: 'area', interpolate: 'step-after', color: COLORS.trainingArea },
      },
      {
        data: { values: truth.points },
        mark: { type: 'line', interpolate: 'step-after', color: COLORS.equilibrium, strokeWidth: 1.5 },
      },
      {
        data: { values: points },
        mark: { type: 'line', interpolate: 'step-after', color: COLORS[run.label], strokeWidth: 2 },
      },
      {
        data: { values: [{ U: record.energyCutoff }] },
        mark: { type: 'rule', color: COLORS.muted, strokeDash: [2, 3] },
        encoding: { y: { value: 0 }, y2: { value: HEIGHT } },
      },
      {
        data: { values: record.minima.map(({ energy }) => ({ U: energy })) },
        mark: { type: 'rule', color: COLORS.ink, strokeWidth: 1.5 },
        encoding: { y: { value: HEIGHT - 7 }, y2: { value: HEIGHT } },
      },
      ...key(
        [
          { label: 'training set', color: COLORS.trainingArea, as: 'area' },
          { label: `${run.label} samples`, color: COLORS[run.label], as: 'line' },
          { label: 'equilibrium', color: COLORS.equilibrium, as: 'line' },
          { label: 'cutoff of the shares', color: COLORS.muted, as: 'dashed' },
        ],
        { x: width - 158, y: 8 },
      ),
      {
        data: { values: [{}] },
        mark: {
          type: 'text',
          align: 'right',
          text: `${beyond === 0 ? 'none' : formatShare(beyond)} beyond the axis →`,
          color: COLORS[run.label],
        },
        encoding: { x: { value: width }, y: { value: HEIGHT - 24 } },
      },
    ],
  });
  const tails = generated.map(({ run, beyond }) => `${formatShare(beyond)} of the ${run.label} samples`).join(' and ');
  return {
    spec: { hconcat: generated.map(panel), spacing: 28 },
    caption:
      `Energies of generated samples beside those of the training set (grey) and of independent equilibrium samples (black). ` +
      `Marks at the foot are the energies of the ${record.minima.length} minima. The axis ends at ${window.max} kT: ` +
      `${tails} lie beyond it, and each density integrates to the share within.`,
  };
}
