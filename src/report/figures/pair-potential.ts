import type { ExperimentRecord } from '../../experiment/record.js';
import { formatNumber } from '../format.js';
import { COLORS } from '../palette.js';
import type { Spec } from '../vega.js';

const WIDTH = 208;
const HEIGHT = 210;
/** Of the depth of the wells, shown above the barrier: the walls are steep and say nothing more. */
const HEADROOM = 0.6;

/**
 * Distance of the barrier between the two wells of the pair potential, which tells short pairs from long ones.
 *
 * @returns undefined if the potential has no local maximum between two minima
 */
export function barrierDistance({ distance, energy }: ExperimentRecord['pairPotential']): number | undefined {
  const isMinimum = (i: number) => energy[i] < energy[i - 1] && energy[i] <= energy[i + 1];
  const wells = energy.flatMap((_, i) => (i > 0 && i < energy.length - 1 && isMinimum(i) ? [i] : []));
  if (wells.length < 2) return undefined;
  let top = wells[0];
  for (let i = wells[0]; i <= wells[wells.length - 1]; i++) if (energy[i] > energy[top]) top = i;
  return distance[top];
}

/** Panel (e): the energy of one pair, for N = 2 the whole potential. */
export function pairPotentialFigure({ pairPotential }: ExperimentRecord): { spec: Spec; caption: string } {
  const { distance, energy } = pairPotential;
  const barrier = barrierDistance(pairPotential);
  const lowest = Math.min(...energy);
  const highest = HEADROOM * Math.max(1, Math.abs(lowest));
  const values = distance.map((d, i) => ({ d, u: energy[i] })).filter(({ u }) => u <= 3 * highest);
  const ends = values.map(({ d }) => d);
  return {
    spec: {
      width: WIDTH,
      height: HEIGHT,
      title: { text: '(e)  pair potential' },
      data: { values },
      encoding: {
        x: {
          field: 'd',
          type: 'quantitative',
          scale: { domain: [Math.min(...ends), Math.max(...ends)], nice: false },
          axis: { tickCount: 5 },
          title: 'distance d  (length)',
        },
        y: {
          field: 'u',
          type: 'quantitative',
          scale: { domain: [1.15 * lowest, highest], nice: false },
          axis: { tickCount: 5 },
          title: 'u(d)  (kT)',
        },
      },
      layer: [
        {
          data: { values: [{ u: 0 }] },
          mark: { type: 'rule', color: COLORS.rule },
          encoding: { x: { value: 0 }, x2: { value: WIDTH } },
        },
        { mark: { type: 'line', clip: true, color: COLORS.ink, strokeWidth: 2 } },
        ...(barrier === undefined
          ? []
          : [
              {
                data: { values: [{ d: barrier }] },
                mark: { type: 'rule', color: COLORS.muted, strokeDash: [2, 3] },
                encoding: { y: { value: 0 }, y2: { value: HEIGHT } },
              },
              ...(['short', 'long'] as const).map((text, side) => ({
                data: { values: [{ d: barrier }] },
                mark: {
                  type: 'text',
                  text,
                  align: side === 0 ? 'right' : 'left',
                  dx: side === 0 ? -8 : 8,
                  color: COLORS.muted,
                },
                encoding: { y: { value: 8 } },
              })),
            ]),
      ],
    },
    caption:
      barrier === undefined
        ? 'Energy of one pair, which for two particles is the whole potential.'
        : `Energy of one pair, which for two particles is the whole potential; the barrier at d = ${formatNumber(barrier, 1)} ` +
          'tells short pairs from long ones.',
  };
}
